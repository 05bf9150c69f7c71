package channel

import (
	"errors"
	"strings"
	"testing"

	"tidepool.dev/tidepool/engine/api/remote"
)

// script is a process that records what reaches it.
type script struct {
	in            string
	closed        bool
	columns, rows int
	chunks        []remote.Chunk
	end           *remote.End
}

func (s *script) Write(data []byte)        { s.in += string(data) }
func (s *script) CloseInput()              { s.closed = true }
func (s *script) Resize(columns, rows int) { s.columns, s.rows = columns, rows }
func (s *script) Close()                   {}
func (s *script) Read() ([]remote.Chunk, *remote.End) {
	chunks := s.chunks
	s.chunks = nil
	return chunks, s.end
}

func TestReceive(t *testing.T) {
	s := &script{}
	for _, message := range []string{"", "\x00one", "\x00two", "\x04{\"Width\":80,\"Height\":25}", "\x04nonsense", "\x09?", "\xff\x01", "\xff"} {
		Receive(s, []byte(message))
	}
	if s.in != "onetwo" || s.columns != 80 || s.rows != 25 || s.closed {
		t.Errorf("it got %+v", s)
	}
	if Receive(s, []byte("\xff\x00")); !s.closed {
		t.Error("its input is still open")
	}
}

func TestNext(t *testing.T) {
	s := &script{chunks: []remote.Chunk{{Data: []byte("out")}, {Stderr: true, Data: []byte("err")}}}
	messages, ended := Next(s)
	if len(messages) != 2 || string(messages[0]) != "\x01out" || string(messages[1]) != "\x02err" || ended {
		t.Errorf("%q, ended %v", messages, ended)
	}
	for _, test := range []struct {
		end  remote.End
		want string
	}{
		{remote.End{}, `"status":"Success"`},
		{remote.End{Code: 3}, `"message":"command terminated with non-zero exit code: command terminated with exit code 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}`},
		{remote.End{Err: errors.New("no such program")}, `"message":"Internal error occurred: Internal error occurred: error executing command in container: no such program"`},
	} {
		s.end = &test.end
		messages, ended := Next(s)
		if len(messages) != 1 || messages[0][0] != 3 || !strings.Contains(string(messages[0]), test.want) || !ended {
			t.Errorf("%+v: %q, ended %v", test.end, messages, ended)
		}
	}
	if got := Failed(errors.New("no node")); got[0] != 3 || !strings.Contains(string(got), "Internal error occurred: no node") {
		t.Errorf("got %q", got)
	}
}
