package rest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// token is what a continue token says (k8s.io/apiserver/pkg/storage/continue.go):
// the revision of the list, or latest, and behind which object its next page
// begins.
type token struct {
	Revision int64
	After    store.Key
}

// latest is the revision of a token that continues a list whose own revision is
// gone.
const latest = -1

const tokenVersion = "meta.k8s.io/v1"

type encodedToken struct {
	Version  string `json:"v"`
	Revision int64  `json:"rv"`
	Start    string `json:"start"`
}

// behind makes of a key the one that comes next.
const behind = "\x00"

func (t token) encode(k *kind.Kind, namespace string) string {
	start := t.After.Name + behind
	if k.Namespaced && namespace == "" {
		start = t.After.Namespace + "/" + start
	}
	data, _ := json.Marshal(encodedToken{tokenVersion, t.Revision, start}) // strings and a number can't fail
	return base64.RawURLEncoding.EncodeToString(data)
}

func decodeToken(k *kind.Kind, namespace, text string) (token, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return token{}, fmt.Errorf("continue key is not valid: %w", err)
	}
	var encoded encodedToken
	if err := json.Unmarshal(data, &encoded); err != nil {
		return token{}, fmt.Errorf("continue key is not valid: %w", err)
	}
	switch {
	case encoded.Version != tokenVersion:
		return token{}, fmt.Errorf("continue key is not valid: server does not recognize this encoded version %v", encoded.Version)
	case encoded.Revision == 0:
		return token{}, errors.New("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
	case encoded.Start == "":
		return token{}, errors.New("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)")
	case path.Clean("/"+strings.TrimPrefix(encoded.Start, "/")) != "/"+strings.TrimPrefix(encoded.Start, "/"):
		return token{}, fmt.Errorf("continue key is not valid: %v", encoded.Start)
	}
	t := token{Revision: encoded.Revision, After: store.Key{Namespace: namespace}}
	t.After.Name = strings.TrimSuffix(strings.TrimPrefix(encoded.Start, "/"), behind)
	if k.Namespaced && namespace == "" {
		t.After.Namespace, t.After.Name, _ = strings.Cut(t.After.Name, "/")
	}
	return t, nil
}

// expired tells a client that the list that it reads page by page is gone, and
// how to go on regardless.
func expired(k *kind.Kind, namespace string, after store.Key) error {
	status := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. " +
		"You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
		"Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted " +
		"between the time the first chunk was returned and now may show up in the list.")
	status.ErrStatus.Continue = token{latest, after}.encode(k, namespace)
	return status
}
