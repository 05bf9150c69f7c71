package managed

import (
	"fmt"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// sets reads what compare wrote down.
func sets(script []byte) (touched, gone *fieldpath.Set, err error) {
	touched, gone = fieldpath.NewSet(), fieldpath.NewSet()
	var path fieldpath.Path
	for len(script) > 0 {
		op := script[0]
		script = script[1:]
		switch op {
		case down:
			length, shift := 0, 0
			for more := true; more; shift += 7 {
				length |= int(script[0]&0x7f) << shift
				more = script[0]&0x80 != 0
				script = script[1:]
			}
			element, err := fieldpath.DeserializePathElement(string(script[:length]))
			if err != nil {
				return nil, nil, fmt.Errorf("path element %q: %w", script[:length], err)
			}
			script = script[length:]
			path = append(path, element)
		case up:
			path = path[:len(path)-1]
		case changed:
			touched.Insert(path)
		case removed:
			gone.Insert(path)
		}
	}
	return touched, gone, nil
}
