package events

import (
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// client-go's defaults.
const (
	similarEvents   = 10               // different ones of a group: the tenth and later are combined
	similarInterval = 10 * time.Minute // within which they count
	burst           = 25               // events of one object and type before it is muted
	refill          = 5 * time.Minute  // for one more
	remembered      = 4096             // objects
)

// mostOccurrences is how many different events of a group are remembered.
const mostOccurrences = 100

// correlator remembers what a component has recorded lately, by object.
type correlator struct {
	mu      sync.Mutex
	objects map[types.UID]*involved
	order   []types.UID // a ring once it has all that are remembered, the oldest at next
	next    int
}

// involved is an object that events are about.
type involved struct {
	budgets []budget
	groups  []*group
	suffix  int64 // of the latest event's name
}

// budget is how many events of a type an object may have.
type budget struct {
	eventType string
	tokens    float64
	last      time.Time
}

// group is events that differ in their messages.
type group struct {
	eventType, reason string
	last              time.Time
	similar           int // occurrences within the interval
	occurrences       []*occurrence
	combined          *occurrence
}

// occurrence is an event that has happened once or more.
type occurrence struct {
	fieldPath, message string
	similar            bool // counts as one of the group
	count              int32
	first              metav1.Time
	name               string // under which it was recorded; empty if it wasn't
}

// sighting is how to record an event.
type sighting struct {
	occurrence // as it is now
	of         *occurrence
	combined   bool  // with similar events
	muted      bool  // it is not to be recorded
	suffix     int64 // of its name, if it gets a new one
}

// observe counts an event.
func (c *correlator) observe(object types.UID, fieldPath, eventType, reason, message string, now time.Time) sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	about := c.object(object)
	g := about.group(eventType, reason)
	if now.Sub(g.last) > similarInterval {
		g.similar = 0
		for _, o := range g.occurrences {
			o.similar = false
		}
	}
	g.last = now
	o, combined := g.occurrence(fieldPath, message)
	if o.count++; o.count == 1 {
		o.first = metav1.NewTime(now)
	}
	// The suffix is the time, as client-go has it; under virtual time two events
	// of one object can fall on the same nanosecond.
	about.suffix = max(now.UnixNano(), about.suffix+1)
	return sighting{occurrence: *o, of: o, combined: combined, muted: !about.spend(eventType, now), suffix: about.suffix}
}

// record keeps the name under which an event was recorded.
func (c *correlator) record(s *sighting, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.of.name = name
}

func (c *correlator) object(uid types.UID) *involved {
	if about, ok := c.objects[uid]; ok {
		return about
	}
	if len(c.order) < remembered {
		c.order = append(c.order, uid)
	} else {
		delete(c.objects, c.order[c.next])
		c.order[c.next] = uid
		c.next = (c.next + 1) % len(c.order)
	}
	about := &involved{}
	c.objects[uid] = about
	return about
}

func (i *involved) group(eventType, reason string) *group {
	for _, g := range i.groups {
		if g.reason == reason && g.eventType == eventType {
			return g
		}
	}
	g := &group{eventType: eventType, reason: reason}
	i.groups = append(i.groups, g)
	return g
}

// occurrence finds the event among those of the group, or the one that combines
// them.
func (g *group) occurrence(fieldPath, message string) (_ *occurrence, combined bool) {
	i := slices.IndexFunc(g.occurrences, func(o *occurrence) bool { return o.message == message && o.fieldPath == fieldPath })
	if i >= 0 && g.occurrences[i].similar {
		return g.occurrences[i], false
	}
	if g.similar == similarEvents-1 {
		if g.combined == nil {
			g.combined = &occurrence{}
		}
		return g.combined, true
	}
	g.similar++
	if i >= 0 {
		g.occurrences[i].similar = true
		return g.occurrences[i], false
	}
	if len(g.occurrences) == mostOccurrences {
		g.occurrences = slices.Delete(g.occurrences, 0, 1)
	}
	o := &occurrence{fieldPath: fieldPath, message: message, similar: true}
	g.occurrences = append(g.occurrences, o)
	return o, false
}

// spend takes one token of the bucket of a type.
func (i *involved) spend(eventType string, now time.Time) bool {
	at := slices.IndexFunc(i.budgets, func(b budget) bool { return b.eventType == eventType })
	if at < 0 {
		at = len(i.budgets)
		i.budgets = append(i.budgets, budget{eventType: eventType, tokens: burst, last: now})
	}
	b := &i.budgets[at]
	b.tokens = min(b.tokens+float64(now.Sub(b.last))/float64(refill), burst)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
