// Package webhook calls admission webhooks over HTTPS for the API server, which
// has no network of its own.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
)

// largestAnswer bounds what is read of a webhook's answer, in bytes.
const largestAnswer = 8 << 20

// Call implements admission.Caller. It fails if the webhook can't be reached,
// is not who caBundle says, takes longer than the timeout, or answers with
// another status than 200.
func Call(ctx context.Context, client admissionregistrationv1.WebhookClientConfig, timeout time.Duration, review []byte) ([]byte, error) {
	target, err := targetOf(client)
	if err != nil {
		return nil, err
	}
	query := target.Query()
	query.Set("timeout", strconv.Itoa(int(timeout.Seconds()))+"s")
	target.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(review))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	trusted, err := roots(client.CABundle)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > largestAnswer:
		return nil, fmt.Errorf("the answer is larger than %d bytes", largestAnswer)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server answered with status %s", response.Status)
	}
	return answer, nil
}

func targetOf(client admissionregistrationv1.WebhookClientConfig) (*url.URL, error) {
	if client.URL == nil {
		// Containers are simulated: nothing listens behind a Service.
		return nil, fmt.Errorf("service %q in namespace %q can't be called: its containers are simulated; use a url", client.Service.Name, client.Service.Namespace)
	}
	return url.Parse(*client.URL)
}

// roots are the authorities that a webhook's certificate must come from; nil
// for those of the system.
func roots(bundle []byte) (*x509.CertPool, error) {
	if len(bundle) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bundle) {
		return nil, errors.New("unable to load root certificates: unable to parse bytes as PEM block")
	}
	return pool, nil
}
