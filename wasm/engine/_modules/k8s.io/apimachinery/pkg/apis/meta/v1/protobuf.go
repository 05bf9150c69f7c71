package v1

import "errors"

// What other files of the package use of its generated protobuf code, which is
// left out here. Nothing in the browser speaks protobuf: FieldsV1 keeps its
// methods, which then only say so.

// Timestamp is the form of times in protobuf.
type Timestamp struct {
	Seconds int64
	Nanos   int32
}

var (
	errNoProtobuf = errors.New("proto: left out of this build")

	ErrIntOverflowGenerated   = errNoProtobuf
	ErrInvalidLengthGenerated = errNoProtobuf
)

func encodeVarintGenerated([]byte, int, uint64) int { panic(errNoProtobuf) }

func sovGenerated(uint64) int { return 0 }

func skipGenerated([]byte) (int, error) { return 0, errNoProtobuf }
