// Package server is the native backend: one process with a control plane, its
// nodes, the Kubernetes API over HTTPS and the website. What Kubernetes is, is
// in engine/; here are listeners, certificates, identities and streams.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/endpoints"
	users "tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/server/credentials"
	"tidepool.dev/tidepool/server/patience"
	"tidepool.dev/tidepool/server/pki"
	"tidepool.dev/tidepool/server/site"
	"tidepool.dev/tidepool/server/stream"
)

// serverNames are the names by which clients in a cluster know the API server,
// and the loopback.
var serverNames = []string{
	"127.0.0.1", "::1", "localhost", "10.96.0.1",
	"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
}

// limits are kube-apiserver's defaults.
var limits = endpoints.Limits{ReadOnly: 400, Mutating: 200, Timeout: time.Minute, Deadline: context.WithTimeout}

// impatience is how long a client may take to read or to send a piece.
const impatience = 30 * time.Second

// Serve runs until the context ends, and returns nil then.
func Serve(ctx context.Context, config Config) error {
	if err := config.validate(); err != nil {
		return err
	}
	if err := prepareDataDir(config.DataDir); err != nil {
		return err
	}
	held, err := lock(config.DataDir)
	if err != nil {
		return err
	}
	defer held.Close()
	identity, err := openIdentity(config, time.Now())
	if err != nil {
		return err
	}
	apiListener, err := listen("--api-listen", config.APIListen)
	if err != nil {
		return err
	}
	defer apiListener.Close()
	siteListener, err := listen("--listen", config.Listen)
	if err != nil {
		return err
	}
	defer siteListener.Close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cluster, err := newCluster(ctx, config.Nodes, config.Metrics, identity.authority, api.Config{
		Authenticate: identity.authenticator.Authenticate,
		Token:        authentication.Static(identity.authenticator.ByToken),
		Key:          identity.tokens,
		Limits:       limits,
		Compress:     compressed,
		Checks: []endpoints.Check{
			// Nothing is served before these are done.
			{Name: "poststarthook/rbac/bootstrap-roles"},
			{Name: "poststarthook/scheduling/bootstrap-system-priority-classes"},
			{Name: "shutdown", Ready: true, Healthy: func(context.Context) error { return context.Cause(ctx) }},
		},
	}, config.Log)
	if err != nil {
		return err
	}
	audited, endAudit, err := withAudit(cluster.API, config)
	if err != nil {
		return err
	}
	defer endAudit()
	names := config.names()
	apiURL := "https://" + reachable(apiListener.Addr(), names)
	siteAddress := reachable(siteListener.Addr(), names)
	if err := writeKubeconfig(KubeconfigPath(config.DataDir), apiURL, identity.authority.PEM, identity.admin); err != nil {
		return err
	}
	pages := site.New(site.Config{
		Hosts: names,
		Pages: config.Pages,
		API:   audited,
		Stream: stream.Handler{
			Authorize: func(r *http.Request) bool {
				token, err := authentication.WebSocketToken(r.Header)
				if err != nil {
					return false
				}
				_, ok := identity.authenticator.ByToken(token)
				return ok
			},
			Open: cluster.session,
			Log:  config.Log,
		},
	})

	log := config.Log
	log.Info("starting", "version", Version(), "site", siteAddress, "api", apiURL, "nodes", config.Nodes, "data-dir", config.DataDir)
	if config.AllowRemote {
		log.Warn("the website is not encrypted: beyond this machine, put a proxy with TLS in front of it")
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return cluster.run(ctx) })
	group.Go(func() error {
		server := &http.Server{Handler: patience.Handler(audited, impatience), TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{identity.server},
			ClientAuth:   tls.RequestClientCert, // whose it is, the authenticator finds out
			ClientCAs:    identity.authority.Pool(),
			MinVersion:   tls.VersionTLS12,
		}}
		return serveUntil(ctx, server, log, func() error { return server.ServeTLS(apiListener, "", "") })
	})
	group.Go(func() error {
		server := &http.Server{Handler: patience.Handler(pages, impatience)}
		return serveUntil(ctx, server, log, func() error { return server.Serve(siteListener) })
	})
	group.Go(func() error {
		if err := cluster.ready(ctx); err != nil {
			return err
		}
		log.Info("ready")
		return announce(config, siteAddress, apiURL, identity.token)
	})
	context.AfterFunc(ctx, func() { log.Info("stopping") })
	err = group.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

func announce(config Config, siteAddress, apiURL string, token credentials.Token) error {
	path, err := filepath.Abs(KubeconfigPath(config.DataDir))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(config.Out, `
Tidepool is ready: %d simulated nodes, no real containers.

  Playground      http://%s/#token=%s
  Kubernetes API  %s

Use your own kubectl:

  export KUBECONFIG=%s
  kubectl get nodes

Ctrl-C ends it.
`, config.Nodes, siteAddress, token, apiURL, path)
	return err
}

// identity is who the server is and whom it knows.
type identity struct {
	authority     *pki.Authority
	server        tls.Certificate
	admin         pki.Pair
	token         credentials.Token
	tokens        *jwt.Key // signs those of service accounts
	authenticator *credentials.Authenticator
}

func openIdentity(config Config, now time.Time) (identity, error) {
	authority, err := pki.Open(pkiDir(config.DataDir), now)
	if err != nil {
		return identity{}, err
	}
	pair, err := authority.Server("kube-apiserver", append(slices.Clone(serverNames), config.names()...), now)
	if err != nil {
		return identity{}, err
	}
	server, err := pair.TLS()
	if err != nil {
		return identity{}, err
	}
	admin, err := authority.Client(adminUser, adminGroup, now)
	if err != nil {
		return identity{}, err
	}
	token, err := credentials.OpenToken(tokenPath(config.DataDir))
	if err != nil {
		return identity{}, err
	}
	signing, err := pki.SigningKey(pkiDir(config.DataDir), "sa")
	if err != nil {
		return identity{}, err
	}
	tokens, err := jwt.New(signing)
	if err != nil {
		return identity{}, err
	}
	return identity{
		tokens:    tokens,
		authority: authority,
		server:    server,
		admin:     admin,
		token:     token,
		authenticator: credentials.NewAuthenticator(authority.Pool(), time.Now, map[credentials.Token]users.User{
			token: {Name: adminUser, Groups: []string{adminGroup}},
		}),
	}, nil
}
