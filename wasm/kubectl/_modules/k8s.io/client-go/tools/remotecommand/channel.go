package remotecommand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	restclient "k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// This file takes the place of upstream's websocket.go and spdy.go: a browser
// has no sockets of its own, so the transport of the configuration is asked for a
// channel of messages, as net/http is asked for an upgraded connection.

// Messages is the body of the response with which a transport answers a request
// to upgrade: one that has messages. Read of an ended one gives io.EOF.
type Messages interface {
	ReadMessage() ([]byte, error)
	WriteMessage(message []byte) error
}

// NewWebSocketExecutor returns an executor of the protocol v5.channel.k8s.io.
func NewWebSocketExecutor(config *restclient.Config, method, url string) (Executor, error) {
	transport, err := restclient.TransportFor(config)
	if err != nil {
		return nil, err
	}
	return &channelExecutor{transport, method, url}, nil
}

// NewSPDYExecutor returns the same as NewWebSocketExecutor, which falls back to
// this: a transport that has no channels has no other streams.
func NewSPDYExecutor(config *restclient.Config, _ string, url *url.URL) (Executor, error) {
	return NewWebSocketExecutor(config, http.MethodGet, url.String())
}

type channelExecutor struct {
	transport   http.RoundTripper
	method, url string
}

func (e *channelExecutor) Stream(options StreamOptions) error {
	return e.StreamWithContext(context.Background(), options)
}

func (e *channelExecutor) StreamWithContext(ctx context.Context, options StreamOptions) error {
	request, err := http.NewRequestWithContext(ctx, e.method, e.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set(httpstream.HeaderConnection, httpstream.HeaderUpgrade)
	request.Header.Set(httpstream.HeaderUpgrade, "websocket")
	request.Header.Set("Sec-Websocket-Protocol", remotecommand.StreamProtocolV5Name)
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	messages, ok := response.Body.(Messages)
	if response.StatusCode != http.StatusSwitchingProtocols || !ok {
		return refusal(response)
	}
	c := &channel{messages: messages, streams: map[byte]*stream{}}
	ready := make(chan struct{})
	go func() {
		<-ready
		c.read()
	}()
	return newStreamProtocolV5(options).stream(klog.FromContext(ctx), c, ready)
}

// refusal is why a server does not upgrade.
func refusal(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return errors.New("unable to upgrade connection: unable to read error from server response")
	}
	message := string(body)
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" {
		message = status.Message
	}
	return fmt.Errorf("unable to upgrade connection: %s", message)
}

// channel carries streams, each under a number.
type channel struct {
	messages Messages
	streams  map[byte]*stream
}

var numbers = map[string]byte{
	v1.StreamTypeStdin:  remotecommand.StreamStdIn,
	v1.StreamTypeStdout: remotecommand.StreamStdOut,
	v1.StreamTypeStderr: remotecommand.StreamStdErr,
	v1.StreamTypeError:  remotecommand.StreamErr,
	v1.StreamTypeResize: remotecommand.StreamResize,
}

// CreateStream implements streamCreator.
func (c *channel) CreateStream(headers http.Header) (httpstream.Stream, error) {
	number, ok := numbers[headers.Get(v1.StreamType)]
	if !ok {
		return nil, fmt.Errorf("unknown stream type: %s", headers.Get(v1.StreamType))
	}
	s := &stream{channel: c, number: number, headers: headers}
	s.reader, s.writer = io.Pipe()
	c.streams[number] = s
	return s, nil
}

// read hands messages to their streams until there are no more.
func (c *channel) read() {
	for {
		message, err := c.messages.ReadMessage()
		if err != nil {
			for _, s := range c.streams {
				s.writer.CloseWithError(err)
			}
			return
		}
		if len(message) == 0 {
			continue
		}
		if s, ok := c.streams[message[0]]; ok {
			_, _ = s.writer.Write(message[1:]) // nobody reads a stream that is closed
		}
	}
}

type stream struct {
	channel *channel
	number  byte
	headers http.Header
	reader  *io.PipeReader
	writer  *io.PipeWriter
}

func (s *stream) Read(data []byte) (int, error) { return s.reader.Read(data) }

func (s *stream) Write(data []byte) (int, error) {
	if err := s.channel.messages.WriteMessage(append([]byte{s.number}, data...)); err != nil {
		return 0, err
	}
	return len(data), nil
}

func (s *stream) Close() error {
	return s.channel.messages.WriteMessage([]byte{remotecommand.StreamClose, s.number})
}

func (s *stream) Reset() error         { return errors.Join(s.Close(), s.writer.Close()) }
func (s *stream) Headers() http.Header { return s.headers }
func (s *stream) Identifier() uint32   { return uint32(s.number) }
