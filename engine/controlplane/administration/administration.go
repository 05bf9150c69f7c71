// Package administration is what those meet of an API server who run one: which
// groups it serves, how it shares its capacity, devices, trust, and what is kept
// for programs of old. It is kept apart from the rest of the control plane
// because builds for the browser have no room for it.
package administration

import (
	"crypto/x509"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/apiservices"
	"tidepool.dev/tidepool/engine/controller/endpointslicemirroring"
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
	self := server.Client(identity.APIServer)
	served := func(resource string) bool {
		_, ok := server.Operations().Kind(resource)
		return ok
	}
	return append(flowcontrol.New(shared, self, clock),
		apiservices.New(shared, self, clock, server.GroupVersions()),
		storagemigration.New(shared, account(server, storagemigration.Name), clock, served),
		endpointslicemirroring.New(shared, account(server, endpointslicemirroring.Name)),
	)
}

// account is the client of a control loop with a service account of its own.
func account(server *api.Server, name string) client.Client {
	return server.Client("system:serviceaccount:kube-system:" + name)
}
