package patience_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tidepool.dev/tidepool/server/patience"
)

// limit is short, so that tests are; what is measured against it is whether a
// wait ends at all.
const limit = 200 * time.Millisecond

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(patience.Handler(handler, limit))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t *testing.T, address, request string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// A client that does not read is given up, while another gets everything.
func TestWhoDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quiet" { // as a watch without news: longer than the limit
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			time.Sleep(3 * limit)
			fmt.Fprint(w, "news")
			return
		}
		piece := bytes.Repeat([]byte("x"), 1<<20)
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	})
	dial(t, address, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
	response, err := http.Get("http://" + address + "/quiet")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "news" {
		t.Errorf("the patient client got %q, %v", text, err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the server still waits for a client that does not read")
	}
}

// A client that does not send the rest of its body is given up.
func TestWhoDoesNotSend(t *testing.T) {
	read := make(chan error, 1)
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	})
	dial(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbegun")
	select {
	case err := <-read:
		if err == nil {
			t.Error("half a body was taken for a whole one")
		}
	case <-time.After(time.Minute):
		t.Error("the server still waits for a body that does not come")
	}
}

// A connection goes on to be used, also after a pause, and by another protocol.
func TestConnectionsLast(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/nothing" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			defer conn.Close()
			time.Sleep(2 * limit)
			fmt.Fprint(conn, "other protocol\n")
		}()
	})
	conn := dial(t, address, "")
	lines := bufio.NewReader(conn)
	for range 2 {
		fmt.Fprint(conn, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
		response, err := http.ReadResponse(lines, nil)
		if err != nil || response.StatusCode != http.StatusNoContent {
			t.Fatalf("got %v, %v", response, err)
		}
		time.Sleep(2 * limit)
	}
	fmt.Fprint(conn, "GET /hijack HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "other protocol") {
		t.Errorf("got %q, %v", line, err)
	}
}
