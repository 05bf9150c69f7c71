// Package store keeps the cluster's objects under multi-version concurrency
// control, as etcd does for Kubernetes: every write takes the next revision of
// one global counter, updates name the revision that they replace, and a watch
// delivers every change after a revision, in order, or says that the history
// it needs has been compacted.
//
// Objects are immutable once they are in the store: a write replaces a pointer
// and a reader shares it without copying, so callers must DeepCopy before they
// change anything.
//
// What lives here: the contract (Interface), its in-memory implementation
// (Memory) and, in storetest, the behavioural suite that every implementation
// passes. What may not: kinds, defaulting, validation or HTTP; they are in
// engine/api.
package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is anything that the store keeps: a pointer to a Kubernetes API type.
// engine/api sets its TypeMeta before it stores it, so that every reader knows
// the kind.
type Object interface {
	metav1.Object
	runtime.Object
}

// RevisionOf is the revision of the write that made an object of the store what
// it is; 0 for an object that has not been stored.
func RevisionOf(obj Object) int64 {
	revision, _ := strconv.ParseInt(obj.GetResourceVersion(), 10, 64)
	return revision
}

// Key addresses one object. Resource is the plural name with its group
// ("pods", "deployments.apps"); Namespace is empty for cluster-scoped kinds.
type Key struct {
	Resource, Namespace, Name string
}

func (k Key) String() string {
	if k.Namespace == "" {
		return k.Resource + "/" + k.Name
	}
	return k.Resource + "/" + k.Namespace + "/" + k.Name
}

// Errors that implementations return, possibly wrapped: test with errors.Is.
var (
	ErrNotFound = errors.New("object not found")
	ErrExists   = errors.New("object already exists")
	// ErrConflict: the object is no longer at the expected revision.
	ErrConflict = errors.New("object has been modified")
	// ErrCompacted: the history that the caller asks for is gone ("too old").
	ErrCompacted = errors.New("required revision has been compacted")
	// ErrFuture: the caller asks for a revision that has not happened yet.
	ErrFuture = errors.New("required revision is in the future")
)

// RevisionError is ErrCompacted or ErrFuture with what is known of the revisions.
type RevisionError struct {
	// Err is one of the two.
	Err error
	// Wanted is the revision that was asked for, Bound the oldest or newest that
	// there is.
	Wanted, Bound int64
}

func (e *RevisionError) Error() string {
	return fmt.Sprintf("%v: revision %d; there is %d", e.Err, e.Wanted, e.Bound)
}

func (e *RevisionError) Unwrap() error { return e.Err }

// EventType says how a write changed an object.
type EventType uint8

const (
	Added EventType = iota + 1
	Modified
	Deleted
)

func (t EventType) String() string {
	switch t {
	case Added:
		return "ADDED"
	case Modified:
		return "MODIFIED"
	case Deleted:
		return "DELETED"
	}
	return fmt.Sprintf("EventType(%d)", uint8(t))
}

// Event is one write. Object is the state after it; for Deleted it is the last
// state, with the revision of the deletion. Prev is the state before, nil for
// Added.
type Event struct {
	Type     EventType
	Revision int64
	Key      Key
	Object   Object
	Prev     Object
	Cause    Cause
}

// Cause records why a write happened: who wrote it and in reaction to what.
type Cause struct {
	// Actor is the user or component, e.g. "kubernetes-admin" or
	// "deployment-controller".
	Actor string
	// Trigger is the object to which the actor reacted and the revision at
	// which it saw it; zero when the actor acted on its own account.
	Trigger         Key
	TriggerRevision int64
}

type causeKey struct{}

// WithCause returns a context whose writes carry the cause.
func WithCause(ctx context.Context, cause Cause) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// CauseFrom returns the context's cause, or the zero Cause.
func CauseFrom(ctx context.Context) Cause {
	cause, _ := ctx.Value(causeKey{}).(Cause)
	return cause
}

// ListOptions selects a page of a list.
type ListOptions struct {
	// Revision at which to list; 0 is the newest.
	Revision int64
	// After starts the page behind this object; a page's last object leads to
	// the next page.
	After *Key
	// Limit bounds the page; 0 is no bound.
	Limit int
}

// List is a page of objects of one resource at one revision, ordered by
// namespace and name.
type List struct {
	Revision int64
	Items    []Object
	// Remaining counts the objects behind the page.
	Remaining int
}

// Interface is the store's whole contract.
type Interface interface {
	// Get returns the newest state of an object, or ErrNotFound.
	Get(ctx context.Context, key Key) (Object, error)

	// List returns a resource's objects, those of one namespace unless it is
	// empty. It fails with ErrCompacted or ErrFuture for a revision that the
	// store can't show.
	List(ctx context.Context, resource, namespace string, opts ListOptions) (List, error)

	// Create adds an object, sets its resourceVersion and takes ownership of
	// it; ErrExists if the key is taken.
	Create(ctx context.Context, key Key, obj Object) (Object, error)

	// Update replaces an object that is at revision expected, sets the new
	// one's resourceVersion and takes ownership of it; ErrNotFound or
	// ErrConflict otherwise.
	Update(ctx context.Context, key Key, obj Object, expected int64) (Object, error)

	// Delete removes an object that is at revision expected and returns its
	// last state with the revision of the deletion; ErrNotFound or ErrConflict
	// otherwise.
	Delete(ctx context.Context, key Key, expected int64) (Object, error)

	// Watch observes every write after revision from to objects of the
	// resource (every resource if empty) in the namespace (every namespace if
	// empty). wake, which must neither block nor call the store, is called
	// whenever Next may have something new; it may be nil. ErrCompacted or
	// ErrFuture if history does not reach from.
	Watch(resource, namespace string, from int64, wake func()) (Watcher, error)

	// Revision is that of the newest write; 1 in a store that has never been
	// written, as in etcd.
	Revision(ctx context.Context) (int64, error)

	// Compact forgets the history up to and including a revision: watches and
	// lists from before it fail with ErrCompacted.
	Compact(ctx context.Context, revision int64) error
}

// Watcher pulls the events of one watch. It is not safe for concurrent use.
type Watcher interface {
	// Next appends up to limit pending events to buffer, in order, and
	// returns it; it never blocks. After ErrCompacted the watch is over.
	Next(buffer []Event, limit int) ([]Event, error)
	// Revision is that up to which the watcher has delivered everything: what
	// a bookmark carries.
	Revision() int64
	// Stop ends the watch; wake is not called afterwards.
	Stop()
}
