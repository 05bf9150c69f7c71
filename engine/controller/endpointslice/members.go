package endpointslice

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/internal/ordered"
	"tidepool.dev/tidepool/engine/store"
)

// members knows which pods each Service selects, from the events that the loop
// has seen, so that neither a pod's change costs a look at all Services nor a
// turn a look at all pods.
type members struct {
	mu       sync.Mutex
	services map[controller.Request]*selection
	// byPair finds the selections by the first pair of their selectors.
	byPair map[pair][]*selection
}

// selection is one Service's.
type selection struct {
	controller.Request
	selector map[string]string
	pods     ordered.Set[*corev1.Pod]
}

type pair struct{ namespace, key, value string }

func newMembers() *members {
	return &members{services: map[controller.Request]*selection{}, byPair: map[pair][]*selection{}}
}

func (s *selection) pair() pair {
	first := slices.Min(slices.Collect(maps.Keys(s.selector)))
	return pair{s.Namespace, first, s.selector[first]}
}

// observeService follows a Service's selector. all are the pods of its
// namespace.
func (m *members) observeService(event store.Event, all func() []*corev1.Pod) {
	m.mu.Lock()
	defer m.mu.Unlock()
	request := controller.Request{Namespace: event.Key.Namespace, Name: event.Key.Name}
	var selector map[string]string
	if service := event.Object.(*corev1.Service); event.Type != store.Deleted && hasEndpoints(service) {
		selector = service.Spec.Selector
	}
	if present, ok := m.services[request]; ok {
		if maps.Equal(present.selector, selector) {
			return
		}
		delete(m.services, request)
		at := present.pair()
		if m.byPair[at] = slices.DeleteFunc(m.byPair[at], func(s *selection) bool { return s == present }); len(m.byPair[at]) == 0 {
			delete(m.byPair, at)
		}
	}
	if len(selector) == 0 {
		return
	}
	s := &selection{Request: request, selector: selector, pods: ordered.NewSet[*corev1.Pod]()}
	m.services[request] = s
	m.byPair[s.pair()] = append(m.byPair[s.pair()], s)
	for _, pod := range all() {
		if matches(selector, pod.Labels) {
			s.pods.Put(pod.Namespace, pod.Name, pod)
		}
	}
}

// observePod follows a pod. It returns the Services that select it or did
// before, if that or its endpoint has changed.
func (m *members) observePod(event store.Event) []controller.Request {
	var prev, pod *corev1.Pod
	if event.Prev != nil {
		prev = event.Prev.(*corev1.Pod)
	}
	if event.Type != store.Deleted {
		pod = event.Object.(*corev1.Pod)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.services) == 0 {
		return nil
	}
	notify := prev == nil || pod == nil || !maps.Equal(prev.Labels, pod.Labels) || endpointChanged(prev, pod)
	var requests []controller.Request
	visit := func(labels map[string]string) {
		for key, value := range labels {
			for _, s := range m.byPair[pair{event.Key.Namespace, key, value}] {
				if !matches(s.selector, labels) {
					continue
				}
				if pod != nil && matches(s.selector, pod.Labels) {
					s.pods.Put(pod.Namespace, pod.Name, pod)
				} else {
					s.pods.Delete(event.Key.Namespace, event.Key.Name)
				}
				if notify && !slices.Contains(requests, s.Request) {
					requests = append(requests, s.Request)
				}
			}
		}
	}
	if pod != nil {
		visit(pod.Labels)
	}
	if prev != nil && (pod == nil || !maps.Equal(prev.Labels, pod.Labels)) {
		visit(prev.Labels)
	}
	slices.SortFunc(requests, func(a, b controller.Request) int { return cmp.Compare(a.Name, b.Name) })
	return requests
}

// pods are those that a Service selects, ordered by name.
func (m *members) pods(request controller.Request) []*corev1.Pod {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.services[request]
	if !ok {
		return nil
	}
	pods := make([]*corev1.Pod, 0, s.pods.Len())
	s.pods.Ascend("", func(pod *corev1.Pod) bool {
		pods = append(pods, pod)
		return true
	})
	return pods
}

func (l *loop) forService(event store.Event) []controller.Request {
	l.members.observeService(event, func() []*corev1.Pod {
		return cache.List[*corev1.Pod](l.cache, podResource, event.Key.Namespace)
	})
	return controller.ForObject(event)
}
