package endpoints

import (
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/authentication"
	"tidepool.dev/tidepool/engine/api/authentication/jwt"
	"tidepool.dev/tidepool/engine/api/kind"
)

// tokenRequests are served as parts of service accounts only.
var tokenRequests = &resource{Kind: &kind.Kind{GroupVersionKind: tokenRequestKind}, served: tokenRequestKind}

// token issues a service account's token.
func (q *request) token() error {
	opts, err := q.writeOptions("CreateOptions")
	if err != nil {
		return err
	}
	wanted := &authenticationv1.TokenRequest{}
	if err := q.decode(tokenRequestKind, wanted, opts.validation); err != nil {
		return err
	}
	if err := q.matches(wanted); err != nil {
		return err
	}
	var issued *authenticationv1.TokenRequest
	err = q.do(func() (err error) {
		issued, err = q.Operations.IssueToken(q.ctx, q.namespace, q.name, wanted)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(http.StatusCreated, tokenRequests, issued)
}

// matches checks that a request for a token names the account of the path, if
// any.
func (q *request) matches(r *authenticationv1.TokenRequest) error {
	path := field.NewPath("metadata")
	var errs field.ErrorList
	switch {
	case r.Name != "" && r.Name != q.name:
		errs = append(errs, field.Invalid(path.Child("name"), r.Name, "must match the service account name if specified"))
	case r.Namespace != "" && r.Namespace != q.namespace:
		errs = append(errs, field.Invalid(path.Child("namespace"), r.Namespace, "must match the service account namespace if specified"))
	default:
		return nil
	}
	return apierrors.NewInvalid(tokenRequestKind.GroupKind(), q.name, errs)
}

// The paths by which others learn to verify service accounts' tokens
// (OpenID Connect Discovery 1.0).
const (
	openIDPath = "/.well-known/openid-configuration"
	keysPath   = "/openid/v1/jwks"
)

// openIDCache is for how long what these paths answer may be kept.
const openIDCache = "public, max-age=3600"

func (q *request) openID() error {
	if q.Key == nil {
		return notFound()
	}
	q.w.Header().Set("Cache-Control", openIDCache)
	return q.object(struct {
		Issuer        string   `json:"issuer"`
		KeysURI       string   `json:"jwks_uri"`
		ResponseTypes []string `json:"response_types_supported"`
		SubjectTypes  []string `json:"subject_types_supported"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	}{authentication.Audience, "https://" + q.r.Host + keysPath, []string{"id_token"}, []string{"public"}, []string{jwt.Algorithm}})
}

func (q *request) keys() error {
	if q.Key == nil {
		return notFound()
	}
	q.w.Header().Set("Cache-Control", openIDCache)
	q.w.Header().Set("Content-Type", "application/jwk-set+json")
	q.w.WriteHeader(http.StatusOK)
	set := struct {
		Keys []jwt.PublicKey `json:"keys"`
	}{[]jwt.PublicKey{q.Key.Public()}}
	_ = q.encoder().Encode(q.w, set) // a client that is gone needs no answer
	return nil
}
