// Package controlplane assembles a cluster's brain: the API, the shared cache,
// the control loops and the scheduler. It is the same in a browser, in a test
// and natively; the store, the clock and the source of randomness are passed
// in, and an executor of the caller's runs the loops.
package controlplane

import (
	"context"
	"math/rand/v2"
	"slices"

	"tidepool.dev/tidepool/engine/api"
	"tidepool.dev/tidepool/engine/api/authorization/rbac/policy"
	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/kinds"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/clock"
	"tidepool.dev/tidepool/engine/controller"
	certificateloops "tidepool.dev/tidepool/engine/controller/certificates"
	"tidepool.dev/tidepool/engine/controller/clusterroleaggregation"
	"tidepool.dev/tidepool/engine/controller/cronjob"
	"tidepool.dev/tidepool/engine/controller/customresources"
	"tidepool.dev/tidepool/engine/controller/daemonset"
	"tidepool.dev/tidepool/engine/controller/deployment"
	"tidepool.dev/tidepool/engine/controller/disruption"
	"tidepool.dev/tidepool/engine/controller/endpoints"
	"tidepool.dev/tidepool/engine/controller/endpointslice"
	"tidepool.dev/tidepool/engine/controller/eventttl"
	"tidepool.dev/tidepool/engine/controller/garbagecollector"
	"tidepool.dev/tidepool/engine/controller/job"
	"tidepool.dev/tidepool/engine/controller/namespace"
	"tidepool.dev/tidepool/engine/controller/nodelifecycle"
	"tidepool.dev/tidepool/engine/controller/persistentvolume"
	"tidepool.dev/tidepool/engine/controller/podautoscaler"
	"tidepool.dev/tidepool/engine/controller/podgc"
	"tidepool.dev/tidepool/engine/controller/replicaset"
	"tidepool.dev/tidepool/engine/controller/replication"
	"tidepool.dev/tidepool/engine/controller/resourcequota"
	"tidepool.dev/tidepool/engine/controller/rootca"
	"tidepool.dev/tidepool/engine/controller/serviceaccount"
	"tidepool.dev/tidepool/engine/controller/serviceaccounttoken"
	"tidepool.dev/tidepool/engine/controller/statefulset"
	"tidepool.dev/tidepool/engine/controller/tainteviction"
	"tidepool.dev/tidepool/engine/controller/ttlafterfinished"
	"tidepool.dev/tidepool/engine/controller/volumeprotection"
	"tidepool.dev/tidepool/engine/events"
	"tidepool.dev/tidepool/engine/metrics"
	"tidepool.dev/tidepool/engine/metrics/metricsapi"
	"tidepool.dev/tidepool/engine/scheduler"
	"tidepool.dev/tidepool/engine/store"
)

// Config is what a control plane is made of.
type Config struct {
	Store store.Interface
	Clock clock.Clock
	// Random must be safe for concurrent use; see NewRandom.
	Random *rand.Rand
	// API carries the API's hooks; the fields above and the kinds are filled in.
	API api.Config
	// Wake is called whenever the store has news for the cache; it may be nil.
	Wake func()
	// Metrics measures what pods and nodes use, for autoscalers and
	// metrics.k8s.io; nil measures nothing.
	Metrics metrics.Source
	// CA is the authority's certificate (PEM) that pods get to trust.
	CA []byte
	// Authority signs certificates; nil: nobody does.
	Authority certificates.Authority
	// Further are kinds besides those of kinds.All, with their control loops.
	Further Further
}

// Further is what a control plane has that not all have, because it would make
// the others too large.
type Further struct {
	Kinds []*kind.Kind
	// Loops makes the control loops; nil: there are none.
	Loops func(server *api.Server, shared *cache.Cache, clock clock.Clock) []controller.Controller
}

// ControlPlane is the assembled brain; an executor has to run Controllers.
type ControlPlane struct {
	API         *api.Server
	Cache       *cache.Cache
	Scheduler   *scheduler.Scheduler
	Controllers []controller.Controller
	clock       clock.Clock
}

// New assembles a control plane and creates the objects that every cluster has.
func New(ctx context.Context, config Config) (*ControlPlane, error) {
	served := append(kinds.All(), config.Further.Kinds...)
	config.API.Store, config.API.Clock, config.API.Random = config.Store, config.Clock, config.Random
	config.API.Kinds = slices.Concat(served, kinds.Computed(func() error {
		_, err := config.Store.Revision(context.WithoutCancel(ctx))
		return err
	}))
	resourceMetrics := metricsapi.New(config.Metrics)
	if config.Metrics != nil {
		config.API.Kinds = append(config.API.Kinds, resourceMetrics.Kinds()...)
	}
	access, err := newAccess(ctx, &config)
	if err != nil {
		return nil, err
	}
	server, err := api.New(config.API)
	if err != nil {
		return nil, err
	}
	access.protect(server.Operations())
	if err := server.Operations().Bootstrap(ctx); err != nil {
		return nil, err
	}
	if err := policy.Ensure(ctx, server.Client(identity.APIServer)); err != nil {
		return nil, err
	}
	resources := make([]string, len(served))
	for i, k := range served {
		resources[i] = k.Resource()
	}
	shared, err := cache.New(ctx, config.Store, resources, config.Wake)
	if err != nil {
		return nil, err
	}
	definitions := server.Operations().Definitions()
	shared.Follow(definitions.Resources)
	resourceMetrics.Read(shared)
	p := &ControlPlane{API: server, Cache: shared, clock: config.Clock}
	p.Scheduler = scheduler.New(shared, server.Client("system:kube-scheduler"), p.recorder(scheduler.Name), config.Clock, config.Random)
	p.Controllers = []controller.Controller{
		namespace.New(shared, p.client(namespace.Name), p.recorder(namespace.Name), config.Clock, served, definitions.Custom),
		serviceaccount.New(shared, p.client(serviceaccount.Name), p.recorder(serviceaccount.Name), config.Clock),
		rootca.New(shared, p.client(rootca.Name), p.recorder(rootca.Name), config.Clock, config.CA),
		serviceaccounttoken.New(shared, p.client(serviceaccounttoken.Name), access.tokens, config.CA),
		clusterroleaggregation.New(shared, p.client(clusterroleaggregation.Name)),
		garbagecollector.New(shared, p.client(garbagecollector.Name), p.recorder(garbagecollector.Name), config.Clock, served, definitions.Custom),
		customresources.New(shared, server.Client(identity.APIServer), config.Clock),
		daemonset.New(shared, p.client(daemonset.Name), p.recorder(daemonset.Name), config.Clock),
		deployment.New(shared, p.client(deployment.Name), p.recorder(deployment.Name), config.Clock),
		statefulset.New(shared, p.client(statefulset.Name), p.recorder(statefulset.Name), config.Clock),
		cronjob.New(shared, p.client(cronjob.Name), p.recorder(cronjob.Name), config.Clock),
		job.New(shared, p.client(job.Name), p.recorder(job.Name), config.Clock),
		ttlafterfinished.New(shared, p.client(ttlafterfinished.Name), config.Clock),
		replication.New(shared, p.client(replication.Name), p.recorder(replication.Name), config.Clock),
		replicaset.New(shared, p.client(replicaset.Name), p.recorder(replicaset.Name), config.Clock),
		endpointslice.New(shared, p.client(endpointslice.Name), p.recorder(endpointslice.Name), config.Clock),
		endpoints.New(shared, p.client(endpoints.Name), p.recorder(endpoints.Name)),
		nodelifecycle.New(shared, p.client(nodelifecycle.Name), p.recorder(nodelifecycle.Name), config.Clock),
		tainteviction.New(shared, p.client(tainteviction.Name), p.recorder(tainteviction.Name), config.Clock),
		podgc.New(shared, p.client(podgc.Name), p.recorder(podgc.Name), config.Clock),
		resourcequota.New(shared, p.client(resourcequota.Name), p.recorder(resourcequota.Name), config.Clock, served),
		persistentvolume.New(shared, p.client(persistentvolume.Name), events.NewRecorder(p.client(persistentvolume.Name), p.clock, persistentvolume.Component, ""), config.Clock),
		volumeprotection.NewClaims(shared, p.client(volumeprotection.ClaimsName), config.Clock),
		volumeprotection.NewVolumes(shared, p.client(volumeprotection.VolumesName)),
		disruption.New(shared, p.client(disruption.Name), events.NewRecorder(p.client(disruption.Name), p.clock, disruption.Component, ""), config.Clock, served),
		podautoscaler.New(shared, p.client(podautoscaler.Name), p.recorder(podautoscaler.Name), config.Clock, config.Metrics, served),
		eventttl.New(shared, p.client(eventttl.Name), config.Clock),
		p.Scheduler.Controller(),
	}
	if config.Further.Loops != nil {
		p.Controllers = append(p.Controllers, config.Further.Loops(server, shared, config.Clock)...)
	}
	p.Controllers = append(p.Controllers, certificateloops.New(certificateloops.Config{
		Cache: shared, Client: p.client(certificateloops.Name), Clock: config.Clock, Authority: config.Authority, Authorize: access.authorize,
	})...)
	return p, nil
}

// client is that of a control loop, which has a service account of its own
// (kube-controller-manager --use-service-account-credentials).
func (p *ControlPlane) client(name string) client.Client {
	return p.API.Client("system:serviceaccount:kube-system:" + name)
}

func (p *ControlPlane) recorder(name string) events.Recorder {
	return events.NewRecorder(p.client(name), p.clock, name, "")
}
