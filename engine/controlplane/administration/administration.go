// Package administration is what those meet of an API server who run one: which
// groups it serves, how it shares its capacity, devices, trust. It is kept apart
// from the rest of the control plane because builds for the browser have no room
// for it.
package administration

import (
	"crypto/x509"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/apiservices"
	"tidepool.dev/tidepool/engine/controller/flowcontrol"
	"tidepool.dev/tidepool/engine/controller/storagemigration"
	"tidepool.dev/tidepool/engine/controlplane"
)

// Further returns it for controlplane.Config.
func Further() controlplane.Further {
	return controlplane.Further{Kinds: kinds.Administrative(certificate), Loops: loops}
}

// certificate implements validation.Certificates.
func certificate(der []byte) (authority, constrained bool, err error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return false, false, err
	}
	return c.IsCA, c.BasicConstraintsValid, nil
}

func loops(server *api.Server, shared *cache.Cache, clock clock.Clock) []controller.Controller {
	client := server.Client(identity.APIServer)
	served := func(resource string) bool {
		_, ok := server.Operations().Kind(resource)
		return ok
	}
	return append(flowcontrol.New(shared, client, clock),
		apiservices.New(shared, client, clock, server.GroupVersions()),
		storagemigration.New(shared, server.Client("system:serviceaccount:kube-system:"+storagemigration.Name), clock, served),
	)
}
