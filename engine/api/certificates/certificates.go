// Package certificates says who asks for a certificate and who may have it: it
// completes CertificateSigningRequests and guards their approval and signing
// (k8s.io/kubernetes/plugin/pkg/admission/certificates upstream). X.509 itself
// is behind Authority, which is passed in.
package certificates

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/admission"
	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/identity"
)

// Request is what a request for a certificate (PKCS#10) says.
type Request struct {
	CommonName    string
	Organizations []string
	// Names of the certificate's holder besides its subject.
	DNSNames, Emails, IPs, URIs []string
}

// Authority reads requests and signs certificates.
type Authority interface {
	// Parse reads a request in PEM form whose signature is valid.
	Parse(request []byte) (Request, error)
	// Sign returns the requested certificate in PEM form.
	Sign(request []byte, usages []certificatesv1.KeyUsage, lifetime time.Duration) ([]byte, error)
	// NotAfter is the end of a certificate in PEM form; false if it can't be
	// read.
	NotAfter(certificate []byte) (time.Time, bool)
}

// Guard completes and guards requests. Without an Authority, as in a browser,
// requests are checked for their form only, and nobody signs them.
type Guard struct {
	Authority Authority
	Authorize authorization.Authorizer
}

// Check is called before a request is written.
func (g Guard) Check(ctx context.Context, r *admission.Request) error {
	if bundle, ok := r.Object.(*certificatesv1.ClusterTrustBundle); ok {
		return g.attest(ctx, r, bundle)
	}
	request, ok := r.Object.(*certificatesv1.CertificateSigningRequest)
	if !ok {
		return nil
	}
	old, _ := r.Old.(*certificatesv1.CertificateSigningRequest)
	switch {
	case old == nil:
		return g.complete(r, request)
	case r.Subresource == "approval":
		return g.may(ctx, r, "approve", old.Spec.SignerName)
	case r.Subresource == "status":
		if bytes.Equal(request.Status.Certificate, old.Status.Certificate) && equality.Semantic.DeepEqual(request.Status.Conditions, old.Status.Conditions) {
			return nil
		}
		return g.may(ctx, r, "sign", old.Spec.SignerName)
	}
	return nil
}

// complete notes who asks.
func (g Guard) complete(r *admission.Request, request *certificatesv1.CertificateSigningRequest) error {
	spec := &request.Spec
	spec.Username, spec.UID, spec.Groups, spec.Extra = r.User.Username, r.User.UID, r.User.Groups, nil
	for key, values := range r.User.Extra {
		if spec.Extra == nil {
			spec.Extra = map[string]certificatesv1.ExtraValue{}
		}
		spec.Extra[key] = certificatesv1.ExtraValue(values)
	}
	parsed, err := g.parse(spec.Request)
	if err != nil {
		return apierrors.NewInvalid(r.Kind.GroupVersionKind.GroupKind(), request.Name,
			field.ErrorList{field.Invalid(field.NewPath("spec", "request"), spec.Request, err.Error())})
	}
	if spec.SignerName == certificatesv1.KubeAPIServerClientSignerName && slices.Contains(parsed.Organizations, identity.Masters) {
		return r.Forbidden(fmt.Errorf("use of %s signer with system:masters group is not allowed", spec.SignerName))
	}
	return nil
}

func (g Guard) parse(request []byte) (Request, error) {
	if block, _ := pem.Decode(request); block == nil || block.Type != "CERTIFICATE REQUEST" {
		return Request{}, errors.New("PEM block type must be CERTIFICATE REQUEST")
	}
	if g.Authority == nil {
		return Request{}, nil
	}
	return g.Authority.Parse(request)
}

// may asks whether the user may approve or sign for a signer, or for all of its
// domain.
func (g Guard) may(ctx context.Context, r *admission.Request, verb, signer string) error {
	if g.permitted(ctx, verb, signer) {
		return nil
	}
	return r.Forbidden(fmt.Errorf("user not permitted to %s requests with signerName %q", verb, signer))
}

// attest asks whether the user may say whom to trust for a signer
// (k8s.io/kubernetes/plugin/pkg/admission/certificates/ctbattest upstream).
func (g Guard) attest(ctx context.Context, r *admission.Request, bundle *certificatesv1.ClusterTrustBundle) error {
	old, _ := r.Old.(*certificatesv1.ClusterTrustBundle)
	if bundle.Spec.SignerName == "" || old != nil && equality.Semantic.DeepEqual(bundle.Spec, old.Spec) || g.permitted(ctx, "attest", bundle.Spec.SignerName) {
		return nil
	}
	return r.Forbidden(fmt.Errorf("user not permitted to attest for signerName %q", bundle.Spec.SignerName))
}

func (g Guard) permitted(ctx context.Context, verb, signer string) bool {
	user, ok := identity.From(ctx)
	if !ok {
		return true // the engine's own control loops
	}
	domain, _, _ := strings.Cut(signer, "/")
	for _, name := range []string{signer, domain + "/*"} {
		a := authorization.Attributes{Verb: verb, Name: name}
		a.Group, a.Version, a.Resource = certificatesv1.GroupName, "*", "signers"
		if allowed, _ := g.Authorize(ctx, user, a); allowed {
			return true
		}
	}
	return false
}
