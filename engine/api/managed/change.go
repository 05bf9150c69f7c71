package managed

import (
	"fmt"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// sets reads what compare wrote down of a type.
func sets(t *goType, script []byte) (touched, gone *fieldpath.Set, err error) {
	touched, gone = fieldpath.NewSet(), fieldpath.NewSet()
	var path fieldpath.Path
	way := []*goType{t} // to where the script is
	number := func() (n int) {
		for shift, more := 0, true; more; shift += 7 {
			n |= int(script[0]&0x7f) << shift
			more = script[0]&0x80 != 0
			script = script[1:]
		}
		return n
	}
	for len(script) > 0 {
		op := script[0]
		script = script[1:]
		switch op {
		case toField:
			f := &way[len(way)-1].fields[number()]
			path, way = append(path, fieldpath.PathElement{FieldName: &f.name}), append(way, f.goType)
		case toItem:
			length := number()
			element, err := fieldpath.DeserializePathElement(string(script[:length]))
			if err != nil {
				return nil, nil, fmt.Errorf("path element %q: %w", script[:length], err)
			}
			script = script[length:]
			path, way = append(path, element), append(way, way[len(way)-1].elem.goType)
		case up:
			path, way = path[:len(path)-1], way[:len(way)-1]
		case changed:
			touched.Insert(path)
		case removed:
			gone.Insert(path)
		}
	}
	return touched, gone, nil
}
