package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/server/pki"
)

// running is a server of a test.
type running struct {
	dir, site, api, token string
	logs                  *bytes.Buffer // to read once it has ended
	end                   func() error
}

var announcement = regexp.MustCompile(`(?s)Playground +http://(\S+)/#token=(\S+)\n.*Kubernetes API +(https://\S+)\n.*export KUBECONFIG=(\S+)\n`)

// start starts a server and waits until it says that it is ready.
func start(t *testing.T, dir string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	r := &running{dir: dir, logs: &bytes.Buffer{}}
	ended := make(chan error, 1)
	go func() {
		err := Serve(ctx, Config{
			Listen: "127.0.0.1:0", APIListen: "127.0.0.1:0", Nodes: 1, DataDir: dir,
			Pages: http.NotFoundHandler(), Out: in,
			Log: slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		in.CloseWithError(fmt.Errorf("it ended: %w", io.EOF))
		ended <- err
	}()
	r.end = func() error { cancel(); return <-ended }
	text := make([]byte, 4096)
	n, err := out.Read(text)
	if err != nil {
		t.Fatalf("%v: %v", err, r.end())
	}
	m := announcement.FindSubmatch(text[:n])
	if m == nil {
		t.Fatalf("it announced %q", text[:n])
	}
	r.site, r.token, r.api = string(m[1]), string(m[2]), string(m[3])
	if got, want := string(m[4]), filepath.Join(dir, "kubeconfig"); got != want {
		t.Errorf("the kubeconfig is at %s, not %s", want, got)
	}
	return r
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	if err := r.end(); err != nil {
		t.Errorf("it did not end cleanly: %v", err)
	}
	if strings.Contains(r.logs.String(), r.token) {
		t.Error("the token is in the logs")
	}
	for _, level := range []string{"level=ERROR", "level=WARN"} {
		if strings.Contains(r.logs.String(), level) {
			t.Errorf("the logs complain:\n%s", r.logs)
		}
	}
}

// client identifies itself by a certificate; nil for none.
func client(certificates ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, Certificates: certificates}}}
}

// ask makes a request and returns the answer's code and, if it is one, Status.
func ask(t *testing.T, client *http.Client, url, token string) (int, metav1.Status) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var status metav1.Status
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, status
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir)
	defer func() { server.stop(t) }()
	config, err := clientcmd.LoadFromFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig's mode: %v, %v", info, err)
	}
	user, cluster := config.AuthInfos[adminUser], config.Clusters[clusterName]
	if cluster.Server != server.api {
		t.Errorf("the kubeconfig's server is %s, not %s", cluster.Server, server.api)
	}
	admin, err := tls.X509KeyPair(user.ClientCertificateData, user.ClientKeyData)
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.Open(t.TempDir(), admin.Leaf.NotBefore)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := other.Client(adminUser, adminGroup, admin.Leaf.NotBefore)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	const nodes = "/api/v1/nodes"
	for _, test := range []struct {
		name   string
		client *http.Client
		url    string
		token  string
		want   int
	}{
		{"the administrator", client(admin), server.api + nodes, "", http.StatusOK},
		{"a token", client(), server.api + nodes, server.token, http.StatusOK},
		{"nobody", client(), server.api + nodes, "", http.StatusForbidden},
		{"nobody, where everybody may", client(), server.api + "/version", "", http.StatusOK},
		{"another token", client(), server.api + nodes, "guess", http.StatusUnauthorized},
		{"another authority's certificate", client(foreign), server.api + nodes, "", http.StatusUnauthorized},
		{"the page", client(), "http://" + server.site + "/cluster" + nodes, server.token, http.StatusOK},
		{"nobody on the page", client(), "http://" + server.site + "/cluster" + nodes, "", http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, status := ask(t, test.client, test.url, test.token)
			if code != test.want {
				t.Errorf("got %d, want %d", code, test.want)
			}
			if code == http.StatusUnauthorized && (status.Kind != "Status" || status.Message != "Unauthorized" || status.Reason != metav1.StatusReasonUnauthorized) {
				t.Errorf("refused with %+v", status)
			}
		})
	}
}

func TestRestartsKeepIdentities(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	before, err := clientcmd.LoadFromFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	first.stop(t)
	second := start(t, dir)
	defer second.stop(t)
	after, err := clientcmd.LoadFromFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if second.token != first.token {
		t.Error("the token has changed")
	}
	if !bytes.Equal(before.Clusters[clusterName].CertificateAuthorityData, after.Clusters[clusterName].CertificateAuthorityData) ||
		!bytes.Equal(before.AuthInfos[adminUser].ClientKeyData, after.AuthInfos[adminUser].ClientKeyData) {
		t.Error("certificates have changed")
	}
}

func TestOneServerPerDataDirectory(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir)
	defer server.stop(t)
	before, err := os.ReadFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	err = Serve(t.Context(), Config{Listen: "127.0.0.1:0", APIListen: "127.0.0.1:0", DataDir: dir, Out: io.Discard, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "is in use by another tidepool serve") {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "kubeconfig")); err != nil || !bytes.Equal(before, after) {
		t.Error("the other server's kubeconfig was overwritten")
	}
}

// TestEndingEndsStreamsAndWatches: clients are told, and nothing waits for them.
func TestEndingEndsStreamsAndWatches(t *testing.T) {
	server := start(t, t.TempDir())
	dialer := websocket.Dialer{Subprotocols: []string{"tidepool.stream.v1", authentication.ProtocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(server.token))}}
	connection, _, err := dialer.Dial("ws://"+server.site+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, frame, err := connection.ReadMessage(); err != nil || !bytes.Contains(frame, []byte(`"snapshot"`)) {
		t.Fatalf("the first frame is %.100s, %v", frame, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.api+"/api/v1/nodes?watch=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+server.token)
	response, err := client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	watched := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, response.Body); watched <- err }()
	server.stop(t)
	for err == nil {
		_, _, err = connection.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the stream ended with %v", err)
	}
	if err := <-watched; err != nil {
		t.Errorf("the watch ended with %v", err)
	}
}
