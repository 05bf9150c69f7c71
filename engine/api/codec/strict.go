package codec

import kjson "sigs.k8s.io/json"

// Strict is implemented by objects that read themselves, and tell what is wrong
// with what they have read nevertheless.
type Strict interface {
	UnmarshalStrict(data []byte) (strict []error, err error)
}

// UnmarshalStrict reads JSON into a value; strict is what is wrong, but not wrong
// enough for an error.
func UnmarshalStrict(data []byte, into any) (strict []error, err error) {
	if own, ok := into.(Strict); ok {
		return own.UnmarshalStrict(data)
	}
	return kjson.UnmarshalStrict(data, into)
}
