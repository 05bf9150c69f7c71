// Package channel is the protocol v5.channel.k8s.io, by which the streams of a
// process travel as messages, over a WebSocket or whatever else has messages:
// the first byte of each is the number of the stream that the rest belongs to
// (k8s.io/apimachinery/pkg/util/remotecommand).
//
// It moves no bytes itself: whoever has the connection hands over the messages
// that arrive and sends those that it is given.
package channel

import (
	"encoding/json"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"

	"tidepool.dev/tidepool/engine/api/remote"
)

// Protocols are the names of the protocol, the preferred one first. v4 differs
// in that a client can't close its end of a stream.
var Protocols = []string{remotecommand.StreamProtocolV5Name, remotecommand.StreamProtocolV4Name}

// Receive passes a client's message on to the process. What has no meaning is
// dropped.
func Receive(process remote.Process, message []byte) {
	if len(message) == 0 {
		return
	}
	switch data := message[1:]; message[0] {
	case remotecommand.StreamStdIn:
		process.Write(data)
	case remotecommand.StreamResize:
		var size struct{ Width, Height uint16 }
		if json.Unmarshal(data, &size) == nil {
			process.Resize(int(size.Width), int(size.Height))
		}
	case remotecommand.StreamClose:
		if len(data) == 1 && data[0] == remotecommand.StreamStdIn {
			process.CloseInput()
		}
	}
}

// Next takes the messages for the client that have come since the last time;
// ended says that these are the last.
func Next(process remote.Process) (messages [][]byte, ended bool) {
	chunks, end := process.Read()
	for _, chunk := range chunks {
		number := byte(remotecommand.StreamStdOut)
		if chunk.Stderr {
			number = remotecommand.StreamStdErr
		}
		messages = append(messages, append([]byte{number}, chunk.Data...))
	}
	if end != nil {
		messages = append(messages, last(statusOf(end)))
	}
	return messages, end != nil
}

// Failed is the one message for a client whose process could not be started.
func Failed(err error) []byte { return last(apierrors.NewInternalError(err).Status()) }

// last is the message that tells how it ended.
func last(status metav1.Status) []byte {
	data, err := json.Marshal(status)
	if err != nil {
		panic(err) // a Status holds nothing that has no JSON
	}
	return append([]byte{remotecommand.StreamErr}, data...)
}

// statusOf tells of an end as Kubernetes does
// (k8s.io/apiserver/pkg/util/proxy.StreamTranslatorHandler): an error has come
// through two servers, both of which say that it is one.
func statusOf(end *remote.End) metav1.Status {
	switch {
	case end.Err != nil:
		return apierrors.NewInternalError(apierrors.NewInternalError(fmt.Errorf("error executing command in container: %w", end.Err))).Status()
	case end.Code == 0:
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	return metav1.Status{
		Status: metav1.StatusFailure,
		Reason: remotecommand.NonZeroExitCodeReason,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{
			{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(end.Code)},
		}},
		Message: fmt.Sprintf("command terminated with non-zero exit code: command terminated with exit code %d", end.Code),
	}
}
