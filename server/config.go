package server

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Config says what Serve serves and where.
type Config struct {
	// Listen and APIListen are the addresses (host:port) of the website and of
	// the Kubernetes API.
	Listen, APIListen string
	// Hosts are names and IP addresses, besides this machine's loopback, under
	// which clients reach the server.
	Hosts []string
	// AllowRemote lets the addresses be other than loopback ones.
	AllowRemote bool
	// Nodes is the number of simulated nodes.
	Nodes int
	// Metrics has the use of CPU and memory measured: autoscalers and "kubectl
	// top" need it.
	Metrics bool
	// DataDir keeps certificates, tokens and the kubeconfig.
	DataDir string
	// AuditLog is the file that requests to the Kubernetes API are logged in, "-"
	// is Out; empty: they are not.
	AuditLog string
	// Pages is the website.
	Pages http.Handler
	Log   *slog.Logger
	// Out is told the addresses when everything is ready.
	Out io.Writer
}

// maxNodes is Kubernetes' own limit.
const maxNodes = 5000

func (c Config) validate() error {
	if c.Nodes < 0 || c.Nodes > maxNodes {
		return fmt.Errorf("--nodes must be from 0 to %d, not %d", maxNodes, c.Nodes)
	}
	problems := []error{c.validateAddress("--listen", c.Listen), c.validateAddress("--api-listen", c.APIListen)}
	for _, host := range c.Hosts {
		if net.ParseIP(host) == nil && len(validation.IsDNS1123Subdomain(host)) > 0 {
			problems = append(problems, fmt.Errorf("--host %q is neither a host name such as classroom.example nor an IP address; leave scheme and port away", host))
		}
	}
	return errors.Join(problems...)
}

// names are those under which clients reach the server besides the loopback's:
// Hosts, and the addresses that it listens at.
func (c Config) names() []string {
	names := slices.Clone(c.Hosts)
	for _, address := range []string{c.Listen, c.APIListen} {
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsLoopback() || ip.IsUnspecified() || slices.Contains(names, host) {
			continue
		}
		names = append(names, host)
	}
	return names
}

func (c Config) validateAddress(flag, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s %q is not an address such as 127.0.0.1:8080: %w", flag, address, err)
	}
	ip := net.ParseIP(host)
	if c.AllowRemote || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s %s would let other machines in; add --allow-remote if that is what you want, "+
		"and --host with the name or address under which they reach this one", flag, address)
}

// prepareDataDir makes sure that the data directory can be written.
func prepareDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the data directory: %w (choose another one with --data-dir)", err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("the data directory %s can't be written: %w (choose another one with --data-dir)", dir, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func pkiDir(dataDir string) string    { return filepath.Join(dataDir, "pki") }
func tokenPath(dataDir string) string { return filepath.Join(dataDir, "page-token") }

// Version is that of the binary, as its build recorded it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
