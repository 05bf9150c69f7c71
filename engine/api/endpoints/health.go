package endpoints

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Check is a part of the server's health, which /livez and /readyz show and
// answer for one by one.
type Check struct {
	Name string
	// Ready: it says whether requests can be served, not whether the server
	// lives, and so is no part of /healthz and /livez.
	Ready bool
	// Healthy is nil for what is true as long as there is an answer.
	Healthy func(ctx context.Context) error
}

// checks are those of every server, and those of this one.
func (q *request) checks(endpoint string) []Check {
	stored := func(ctx context.Context) error {
		_, err := q.Operations.Store().Revision(ctx)
		return err
	}
	all := append([]Check{{Name: "ping"}, {Name: "log"}, {Name: "etcd", Healthy: stored}, {Name: "etcd-readiness", Ready: true, Healthy: stored}}, q.Checks...)
	return slices.DeleteFunc(all, func(c Check) bool { return c.Ready && endpoint != "readyz" })
}

// health tells whether the server works
// (k8s.io/apiserver/pkg/server/healthz upstream).
func (q *request) health(parts []string) error {
	endpoint := parts[0]
	checks := q.checks(endpoint)
	if len(parts) > 1 {
		return q.checkOne(checks, strings.Join(parts[1:], "/"))
	}
	query := q.r.URL.Query()
	excluded := query["exclude"]
	var report strings.Builder
	healthy := true
	for _, check := range checks {
		switch {
		case slices.Contains(excluded, check.Name):
			fmt.Fprintf(&report, "[+]%s excluded: ok\n", check.Name)
		case check.Healthy != nil && check.Healthy(q.ctx) != nil:
			healthy = false
			fmt.Fprintf(&report, "[-]%s failed: reason withheld\n", check.Name)
		default:
			fmt.Fprintf(&report, "[+]%s ok\n", check.Name)
		}
	}
	if unknown := unknownChecks(excluded, checks); len(unknown) > 0 {
		fmt.Fprintf(&report, "warn: some health checks cannot be excluded: no matches for %s\n", strings.Join(unknown, ","))
	}
	switch {
	case !healthy: // which is always told in detail
		q.plain(http.StatusInternalServerError, report.String()+endpoint+" check failed\n")
	case query.Has("verbose"):
		q.plain(http.StatusOK, report.String()+endpoint+" check passed\n")
	default:
		q.plain(http.StatusOK, "ok")
	}
	return nil
}

func (q *request) checkOne(checks []Check, name string) error {
	at := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
	if at < 0 {
		return notFound()
	}
	if healthy := checks[at].Healthy; healthy != nil {
		if err := healthy(q.ctx); err != nil {
			q.plain(http.StatusInternalServerError, fmt.Sprintf("internal server error: %v\n", err))
			return nil
		}
	}
	q.plain(http.StatusOK, "ok")
	return nil
}

// unknownChecks are those that can't be left out because they are none, quoted.
func unknownChecks(excluded []string, checks []Check) []string {
	var unknown []string
	for _, name := range excluded {
		if !slices.ContainsFunc(checks, func(c Check) bool { return c.Name == name }) {
			unknown = append(unknown, strconv.Quote(name))
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}
