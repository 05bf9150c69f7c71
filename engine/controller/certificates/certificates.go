// Package certificates is the control loops of CertificateSigningRequests: one
// approves what a kubelet asks for itself, one signs for the signers of
// Kubernetes what has been approved, one removes old requests.
package certificates

import (
	certificatesv1 "k8s.io/api/certificates/v1"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
)

const (
	// Name is the component in causes, that of all three loops.
	Name = "certificate-controller"

	resource = "certificatesigningrequests.certificates.k8s.io"
)

// Config is what the loops need.
type Config struct {
	Cache     *cache.Cache
	Client    client.Client
	Clock     clock.Clock
	Authority certificates.Authority
	// Authorize is asked whether whoever requests a kubelet's certificate may
	// have it without anybody's approval.
	Authorize authorization.Authorizer
}

// New returns the control loops; without an Authority nothing is approved or
// signed.
func New(c Config) []controller.Controller {
	watches := []controller.Watch{{Resource: resource, Map: controller.ForObject}}
	loops := []controller.Controller{{Name: "csrcleaner", Watches: watches, Reconciler: controller.ReconcilerFunc(c.clean)}}
	if c.Authority == nil {
		return loops
	}
	return append(loops,
		controller.Controller{Name: "csrapproving", Watches: watches, Reconciler: controller.ReconcilerFunc(c.approve)},
		controller.Controller{Name: "csrsigning", Watches: watches, Reconciler: controller.ReconcilerFunc(c.sign)},
	)
}

func (c Config) get(name string) (*certificatesv1.CertificateSigningRequest, bool) {
	return cache.Get[*certificatesv1.CertificateSigningRequest](c.Cache, resource, "", name)
}

// condition returns the request's condition of a type, nil if it has none.
func condition(r *certificatesv1.CertificateSigningRequest, of certificatesv1.RequestConditionType) *certificatesv1.CertificateSigningRequestCondition {
	for i := range r.Status.Conditions {
		if r.Status.Conditions[i].Type == of {
			return &r.Status.Conditions[i]
		}
	}
	return nil
}
