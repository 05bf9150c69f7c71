package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// protobufMagic begins every body in Kubernetes' protobuf format
// (k8s.io/apimachinery/pkg/runtime/serializer/protobuf).
const protobufMagic = "k8s\x00"

// protobufMessage is what the generated protobuf code of an API type adds to
// it. Builds for the browser leave that code out, and have no need of it: only
// typed clients of other programs send this format.
type protobufMessage interface{ Unmarshal([]byte) error }

// decodeProtobuf reads an object in Kubernetes' protobuf format: an envelope
// that says the kind, and the object in it. It has no unknown fields to warn
// of.
func (d Decoder) decodeProtobuf(body []byte, want schema.GroupVersionKind, into any) error {
	message, ok := into.(protobufMessage)
	if !ok {
		return apierrors.NewBadRequest(fmt.Sprintf("objects of kind %s can't be sent as protobuf", want.Kind))
	}
	content, ok := strings.CutPrefix(string(body), protobufMagic)
	if !ok {
		return unrecognized(want, errors.New("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"), body)
	}
	envelope, err := fieldsOf([]byte(content))
	if err != nil {
		return unrecognized(want, err, body)
	}
	meta, err := fieldsOf(envelope[1])
	if err != nil {
		return unrecognized(want, err, body)
	}
	gv, err := schema.ParseGroupVersion(string(meta[1]))
	if err != nil {
		return unrecognized(want, err, body)
	}
	actual := withDefaults(gv.WithKind(string(meta[2])), want)
	if actual != want {
		return d.mismatch(actual, want)
	}
	if err := message.Unmarshal(envelope[2]); err != nil {
		return unhandled(actual, want, err)
	}
	return nil
}

var errProtobuf = errors.New("proto: illegal message")

// fieldsOf reads a protobuf message all of whose fields are strings, bytes or
// messages; by number, the last one of each.
func fieldsOf(message []byte) (map[uint64][]byte, error) {
	const lengthDelimited = 2
	fields := map[uint64][]byte{}
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag&7 != lengthDelimited {
			return nil, errProtobuf
		}
		message = message[n:]
		size, n := binary.Uvarint(message)
		if n <= 0 || size > uint64(len(message)-n) {
			return nil, errProtobuf
		}
		fields[tag>>3] = message[n : n+int(size)]
		message = message[n+int(size):]
	}
	return fields, nil
}
