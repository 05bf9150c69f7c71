package events

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// client-go's defaults.
const (
	similarEvents   = 10               // different ones of a group: the tenth and later are combined
	similarInterval = 10 * time.Minute // within which they count
	burst           = 25               // events of one object before it is muted
	refill          = 5 * time.Minute  // for one more
	remembered      = 4096             // entries of each kind
)

// identity tells one event of a component from another.
type identity struct {
	involved                              types.UID
	fieldPath, eventType, reason, message string
}

// correlator remembers what a component has recorded lately.
type correlator struct {
	mu      sync.Mutex
	events  recent[identity, *corev1.Event]
	groups  recent[identity, *group] // the identities of groups have no message
	budgets recent[types.UID, *budget]
}

type group struct {
	messages []string // different ones
	last     time.Time
}

type budget struct {
	tokens float64
	last   time.Time
}

func newCorrelator() *correlator {
	return &correlator{
		events:  newRecent[identity, *corev1.Event](remembered),
		groups:  newRecent[identity, *group](remembered),
		budgets: newRecent[types.UID, *budget](remembered),
	}
}

// observe says how to record an event: as a repetition of a known one, combined
// with similar ones (id then loses its message), or not at all.
func (c *correlator) observe(id *identity, now time.Time) (known *corev1.Event, combined, muted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.similar(*id, now) {
		combined, id.message = true, ""
	}
	if !c.spend(id.involved, now) {
		return nil, combined, true
	}
	known, _ = c.events.get(*id)
	return known, combined, false
}

// remember keeps the event that an identity was recorded as.
func (c *correlator) remember(id identity, event *corev1.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events.put(id, event)
}

// similar counts the different messages of one group of events.
func (c *correlator) similar(id identity, now time.Time) bool {
	message := id.message
	id.message = ""
	g, ok := c.groups.get(id)
	if !ok || now.Sub(g.last) > similarInterval {
		g = &group{}
		c.groups.put(id, g)
	}
	g.last = now
	if slices.Contains(g.messages, message) {
		return false
	}
	if len(g.messages) == similarEvents-1 {
		return true
	}
	g.messages = append(g.messages, message)
	return false
}

// spend takes one token of an object's bucket.
func (c *correlator) spend(involved types.UID, now time.Time) bool {
	b, ok := c.budgets.get(involved)
	if !ok {
		b = &budget{tokens: burst, last: now}
		c.budgets.put(involved, b)
	}
	b.tokens = min(b.tokens+float64(now.Sub(b.last))/float64(refill), burst)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// recent is a map that forgets, in the order in which they were first put, all
// but its latest entries.
type recent[K comparable, V any] struct {
	entries map[K]V
	order   []K // a ring once it has size keys, the oldest at next
	next    int
	size    int
}

func newRecent[K comparable, V any](size int) recent[K, V] {
	return recent[K, V]{entries: map[K]V{}, size: size}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	value, ok := r.entries[key]
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	if _, ok := r.entries[key]; !ok {
		if len(r.order) < r.size {
			r.order = append(r.order, key)
		} else {
			delete(r.entries, r.order[r.next])
			r.order[r.next] = key
			r.next = (r.next + 1) % len(r.order)
		}
	}
	r.entries[key] = value
}
