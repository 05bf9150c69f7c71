// Package custom serves custom resources: it makes of CustomResourceDefinitions
// the kinds that they declare, while the API runs
// (k8s.io/apiextensions-apiserver/pkg/apiserver upstream).
//
// The definitions themselves are objects of a kind in engine/api/kinds, and
// engine/controller/customresources gives them their conditions.
package custom

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// Resource is that of the definitions.
const Resource = "customresourcedefinitions.apiextensions.k8s.io"

// Definitions are the kinds that a store's definitions declare. They are as new
// as the store whenever somebody asks, and safe for concurrent use.
type Definitions struct {
	store store.Interface
	fixed []*kind.Kind
	// stale says that definitions have been written since they were read.
	stale atomic.Bool

	mu         sync.Mutex
	evaluator  cel.Evaluator
	watcher    store.Watcher
	known      []definition
	all        []*kind.Kind
	byResource map[string]*kind.Kind
	generation int64
}

// definition is a definition with what has been made of it.
type definition struct {
	crd  *apiextensionsv1.CustomResourceDefinition
	kind *kind.Kind
}

// New returns the definitions in a store that declare kinds besides the fixed
// ones.
func New(s store.Interface, fixed []*kind.Kind) *Definitions {
	d := &Definitions{store: s, fixed: fixed, all: slices.Clip(fixed), byResource: map[string]*kind.Kind{}}
	d.stale.Store(slices.ContainsFunc(fixed, func(k *kind.Kind) bool { return k.Resource() == Resource }))
	return d
}

// SetEvaluator lets x-kubernetes-validations be evaluated; it is called before
// anybody asks.
func (d *Definitions) SetEvaluator(evaluator cel.Evaluator) { d.evaluator = evaluator }

// Kinds are the fixed kinds and, behind them, the declared ones. The slice is
// immutable; generation changes with it.
func (d *Definitions) Kinds() (all []*kind.Kind, generation int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stale.Swap(false) {
		d.read(context.Background())
	}
	return d.all, d.generation
}

// Kind is the declared kind of a resource ("crontabs.stable.example.com").
func (d *Definitions) Kind(resource string) (*kind.Kind, bool) {
	d.Kinds()
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.byResource[resource]
	return k, ok
}

// Custom are the declared kinds alone.
func (d *Definitions) Custom() []*kind.Kind {
	all, _ := d.Kinds()
	return all[len(d.fixed):]
}

// read makes the kinds of what is in the store. What fails is tried again when
// somebody asks the next time.
func (d *Definitions) read(ctx context.Context) {
	if err := d.follow(ctx); err != nil {
		d.stale.Store(true)
		return
	}
	list, err := d.store.List(ctx, Resource, "", store.ListOptions{})
	if err != nil {
		d.stale.Store(true)
		return
	}
	known := make([]definition, 0, len(list.Items))
	changed := len(list.Items) != len(d.known)
	for i, obj := range list.Items {
		crd := obj.(*apiextensionsv1.CustomResourceDefinition)
		if i < len(d.known) && same(d.known[i].crd, crd) {
			known = append(known, d.known[i])
			continue
		}
		changed = true
		at := slices.IndexFunc(d.known, func(k definition) bool { return same(k.crd, crd) })
		if at >= 0 {
			known = append(known, d.known[at])
			continue
		}
		known = append(known, definition{crd, Kind(crd, d.evaluator)})
	}
	if !changed {
		return
	}
	d.known = known
	d.all = slices.Clip(slices.Clone(d.fixed))
	d.byResource = map[string]*kind.Kind{}
	for _, each := range known {
		if each.kind == nil || d.isFixed(each.kind.GroupVersion()) {
			continue
		}
		d.all = append(d.all, each.kind)
		d.byResource[each.kind.Resource()] = each.kind
	}
	d.generation++
}

// follow takes note of the writes up to now, so that the next one is news.
func (d *Definitions) follow(ctx context.Context) error {
	if d.watcher != nil {
		for {
			events, err := d.watcher.Next(nil, 1000)
			if errors.Is(err, store.ErrCompacted) {
				d.watcher.Stop()
				d.watcher = nil
				break
			}
			if err != nil || len(events) == 0 {
				return err
			}
		}
	}
	revision, err := d.store.Revision(ctx)
	if err != nil {
		return err
	}
	d.watcher, err = d.store.Watch(Resource, "", revision, func() { d.stale.Store(true) })
	if err != nil {
		return err
	}
	_, err = d.watcher.Next(nil, 1000) // so that it wakes
	return err
}

// isFixed: the groups of Kubernetes itself can't be extended.
func (d *Definitions) isFixed(gv k8sschema.GroupVersion) bool {
	return slices.ContainsFunc(d.fixed, func(k *kind.Kind) bool { return k.GroupVersion() == gv })
}

// same says that two states of a definition declare the same kind.
func same(a, b *apiextensionsv1.CustomResourceDefinition) bool {
	if a == b {
		return true
	}
	return a.UID == b.UID && a.Generation == b.Generation && (a.DeletionTimestamp == nil) == (b.DeletionTimestamp == nil) &&
		IsTrue(a, apiextensionsv1.Established) == IsTrue(b, apiextensionsv1.Established) &&
		IsTrue(a, apiextensionsv1.Terminating) == IsTrue(b, apiextensionsv1.Terminating) &&
		equality.Semantic.DeepEqual(a.Status.AcceptedNames, b.Status.AcceptedNames)
}

// Resources are those of the declared kinds.
func (d *Definitions) Resources() []string {
	var resources []string
	for _, k := range d.Custom() {
		resources = append(resources, k.Resource())
	}
	return resources
}
