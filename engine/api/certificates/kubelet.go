package certificates

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"

	"tidepool.dev/tidepool/engine/api/identity"
)

// Validate says why the signer of a name, one of Kubernetes' own, must not sign
// a request (k8s.io/kubernetes/pkg/apis/certificates and
// .../pkg/controller/certificates/signer).
func Validate(signer string, r Request, usages []certificatesv1.KeyUsage) error {
	switch signer {
	case certificatesv1.KubeAPIServerClientSignerName:
		return clientUsages(usages)
	case certificatesv1.KubeAPIServerClientKubeletSignerName:
		return kubeletClient(r, usages)
	case certificatesv1.KubeletServingSignerName:
		return kubeletServing(r, usages)
	}
	return fmt.Errorf("unrecognized signerName: %q", signer)
}

func clientUsages(usages []certificatesv1.KeyUsage) error {
	for _, usage := range usages {
		switch usage {
		case certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment, certificatesv1.UsageClientAuth:
		default:
			return fmt.Errorf("invalid usage for client certificate: %s", usage)
		}
	}
	if !slices.Contains(usages, certificatesv1.UsageClientAuth) {
		return fmt.Errorf("missing required usage for client certificate: %s", certificatesv1.UsageClientAuth)
	}
	return nil
}

func isNode(r Request) error {
	if !slices.Equal(r.Organizations, []string{identity.Nodes}) {
		return errors.New("subject organization is not system:nodes")
	}
	return nil
}

func hasNodeName(r Request) error {
	if !strings.HasPrefix(r.CommonName, identity.NodePrefix) {
		//lint:ignore ST1005 as Kubernetes words it
		return errors.New("subject common name does not begin with system:node:")
	}
	return nil
}

// areUsages: digital signature, purpose and, for RSA keys, key encipherment.
func areUsages(usages []certificatesv1.KeyUsage, purpose certificatesv1.KeyUsage) error {
	required := []certificatesv1.KeyUsage{purpose, certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment}
	slices.Sort(required)
	for _, set := range [][]certificatesv1.KeyUsage{required, {purpose, certificatesv1.UsageDigitalSignature}} {
		all := true
		for _, usage := range set {
			all = all && slices.Contains(usages, usage)
		}
		distinct := slices.Clone(usages)
		slices.Sort(distinct)
		if all && len(slices.Compact(distinct)) == len(set) {
			return nil
		}
	}
	return fmt.Errorf("usages did not match %v", required)
}

func kubeletClient(r Request, usages []certificatesv1.KeyUsage) error {
	if err := isNode(r); err != nil {
		return err
	}
	switch {
	case len(r.DNSNames) > 0:
		return errors.New("DNS subjectAltNames are not allowed")
	case len(r.Emails) > 0:
		return errEmails
	case len(r.IPs) > 0:
		return errors.New("IP subjectAltNames are not allowed")
	case len(r.URIs) > 0:
		return errURIs
	}
	return cmp.Or(hasNodeName(r), areUsages(usages, certificatesv1.UsageClientAuth))
}

func kubeletServing(r Request, usages []certificatesv1.KeyUsage) error {
	if err := isNode(r); err != nil {
		return err
	}
	switch {
	case len(r.DNSNames) == 0 && len(r.IPs) == 0:
		return errors.New("DNS or IP subjectAltName is required")
	case len(r.Emails) > 0:
		return errEmails
	case len(r.URIs) > 0:
		return errURIs
	}
	return cmp.Or(areUsages(usages, certificatesv1.UsageServerAuth), hasNodeName(r))
}

var (
	//lint:ignore ST1005 as Kubernetes words it
	errEmails = errors.New("Email subjectAltNames are not allowed")
	errURIs   = errors.New("URI subjectAltNames are not allowed")
)
