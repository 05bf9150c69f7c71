package validation

import (
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxTrustBundle is how long a bundle may be
// (k8s.io/kubernetes/pkg/apis/certificates.MaxTrustBundleSize).
const maxTrustBundle = 1 << 20

// Certificates reads a certificate in DER form: whether it is an authority's, and
// whether it says so properly. To know certificates is too large for a browser.
type Certificates func(der []byte) (authority, constrained bool, err error)

// ClusterTrustBundle checks a new bundle
// (k8s.io/kubernetes/pkg/apis/certificates/validation upstream).
func (c Certificates) ClusterTrustBundle(b *certificatesv1.ClusterTrustBundle) field.ErrorList {
	return append(bundleMeta(b), c.trustAnchors(field.NewPath("spec", "trustBundle"), b.Spec.TrustBundle)...)
}

// ClusterTrustBundleUpdate checks a bundle that replaces another. What has been
// accepted once is not read again.
func (c Certificates) ClusterTrustBundleUpdate(b, old *certificatesv1.ClusterTrustBundle) field.ErrorList {
	errs := bundleMeta(b)
	if b.Spec.TrustBundle != old.Spec.TrustBundle {
		errs = append(errs, c.trustAnchors(field.NewPath("spec", "trustBundle"), b.Spec.TrustBundle)...)
	}
	return append(errs, immutable(field.NewPath("spec", "signerName"), b.Spec.SignerName, old.Spec.SignerName)...)
}

func bundleMeta(b *certificatesv1.ClusterTrustBundle) field.ErrorList {
	var errs field.ErrorList
	if b.Name != "" {
		errs = invalid(field.NewPath("metadata", "name"), b.Name, bundleName(b.Name, b.Spec.SignerName))
	}
	if b.Spec.SignerName != "" {
		errs = append(errs, signerName(field.NewPath("spec", "signerName"), b.Spec.SignerName)...)
	}
	return errs
}

// bundleName: a signer's bundles have its name, with colons, in front of theirs
// (k8s.io/kubernetes/pkg/apis/core/validation.ValidateClusterTrustBundleName).
func bundleName(name, signer string) []string {
	if signer == "" {
		if strings.Contains(name, ":") {
			return []string{"ClusterTrustBundle without signer name must not have \":\" in its name"}
		}
		return objectName(name, false)
	}
	prefix := strings.ReplaceAll(signer, "/", ":") + ":"
	rest, found := strings.CutPrefix(name, prefix)
	if !found {
		return []string{fmt.Sprintf("ClusterTrustBundle for signerName %s must be named with prefix %s", signer, prefix)}
	}
	return objectName(rest, false)
}

// trustAnchors: certificates of authorities and nothing else, each once.
func (c Certificates) trustAnchors(path *field.Path, text string) (errs field.ErrorList) {
	if len(text) > maxTrustBundle {
		return field.ErrorList{field.TooLong(path, "", maxTrustBundle)}
	}
	var anchors []string
	places := map[string][]int{}
	rest := []byte(text)
	for i := 0; ; i++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if problem := c.anchorProblem(i, block); problem != "" {
			errs = append(errs, field.Invalid(path, "<value omitted>", problem))
			continue
		}
		anchors = append(anchors, string(block.Bytes))
		places[string(block.Bytes)] = append(places[string(block.Bytes)], i)
	}
	if len(errs) > 0 {
		return errs
	}
	if len(anchors) == 0 {
		return field.ErrorList{field.Invalid(path, "<value omitted>", "at least one trust anchor must be provided")}
	}
	for i, anchor := range anchors {
		if at := places[anchor]; len(at) > 1 && slices.Index(anchors, anchor) == i {
			errs = append(errs, field.Invalid(path, "<value omitted>", fmt.Sprintf("duplicate trust anchor (indices %v)", at)))
		}
	}
	return errs
}

func (c Certificates) anchorProblem(i int, block *pem.Block) string {
	if block.Type != "CERTIFICATE" {
		return fmt.Sprintf("entry %d has bad block type: %v", i, block.Type)
	}
	if len(block.Headers) > 0 {
		return fmt.Sprintf("entry %d has PEM block headers", i)
	}
	authority, constrained, err := c(block.Bytes)
	switch {
	case err != nil:
		return fmt.Sprintf("entry %d does not parse as X.509", i)
	case !authority:
		return fmt.Sprintf("entry %d does not have the CA bit set", i)
	case !constrained:
		return fmt.Sprintf("entry %d has invalid basic constraints", i)
	}
	return ""
}
