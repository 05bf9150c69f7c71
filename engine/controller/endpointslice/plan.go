package endpointslice

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// perSlice is how many endpoints a slice holds.
const perSlice = 100

// plan is what has to be done to a Service's slices.
type plan struct {
	create, update, remove []*discoveryv1.EndpointSlice

	changed      time.Time // when the oldest change was that the slices do not show yet
	nodesMissing bool
	pods         int
	wrote        int64
}

func (p *plan) note(changed time.Time) {
	if !changed.IsZero() && (p.changed.IsZero() || changed.Before(p.changed)) {
		p.changed = changed
	}
}

// group are the endpoints that have the same ports.
type group struct {
	ports     []discoveryv1.EndpointPort
	endpoints []discoveryv1.Endpoint
	since     []time.Time // each endpoint has been ready, or not
}

// plan compares the pods with the slices.
func (l *loop) plan(service *corev1.Service) plan {
	var p plan
	pods := l.pods(service)
	p.pods = len(pods)
	present := l.slices(service)
	types := addressTypes(service)
	for _, slice := range present {
		if !slices.Contains(types, slice.AddressType) {
			p.remove = append(p.remove, slice)
		}
	}
	for _, addressType := range types {
		var ofType []*discoveryv1.EndpointSlice
		for _, slice := range present {
			if slice.AddressType == addressType {
				ofType = append(ofType, slice)
			}
		}
		l.planType(service, addressType, pods, ofType, &p)
	}
	if len(present) == 0 {
		p.changed = service.CreationTimestamp.Time // whatever the pods did before
	}
	return p
}

// pods are those that the Service selects and that can have endpoints.
func (l *loop) pods(service *corev1.Service) []*corev1.Pod {
	selected := l.members.pods(controller.Request{Namespace: service.Namespace, Name: service.Name})
	return slices.DeleteFunc(selected, func(pod *corev1.Pod) bool {
		return podutil.Terminal(pod) || len(pod.Status.PodIPs) == 0
	})
}

func addressTypes(service *corev1.Service) []discoveryv1.AddressType {
	var types []discoveryv1.AddressType
	for _, family := range service.Spec.IPFamilies {
		switch family {
		case corev1.IPv4Protocol:
			types = append(types, discoveryv1.AddressTypeIPv4)
		case corev1.IPv6Protocol:
			types = append(types, discoveryv1.AddressTypeIPv6)
		}
	}
	return types
}

func (l *loop) planType(service *corev1.Service, addressType discoveryv1.AddressType, pods []*corev1.Pod, present []*discoveryv1.EndpointSlice, p *plan) {
	var create, update, remove []*discoveryv1.EndpointSlice
	byPorts := map[string][]*discoveryv1.EndpointSlice{}
	for _, slice := range present {
		if metav1.IsControlledBy(slice, service) {
			key := portKey(slice.Ports)
			byPorts[key] = append(byPorts[key], slice)
		} else {
			remove = append(remove, slice)
		}
	}
	for _, g := range l.group(service, addressType, pods, p) {
		key := portKey(g.ports)
		p.place(service, addressType, g, byPorts[key], &create, &update, &remove)
		delete(byPorts, key)
	}
	for _, slice := range present {
		if rest, ok := byPorts[portKey(slice.Ports)]; ok && slices.Contains(rest, slice) {
			remove = append(remove, slice)
		}
	}
	if len(present) == len(remove) && len(create) == 0 {
		// A Service without endpoints has an empty slice.
		empty := newSlice(service, addressType, []discoveryv1.EndpointPort{})
		if len(remove) == 1 && isPlaceholder(remove[0], empty) {
			remove = nil
		} else {
			create = append(create, empty)
		}
	}
	// A slice that is to go can become one that is to come.
	for i := 0; i < len(remove) && len(create) > 0; {
		if !metav1.IsControlledBy(remove[i], service) {
			i++
			continue
		}
		last := create[len(create)-1]
		reused := remove[i].DeepCopy()
		reused.Labels, reused.Ports, reused.Endpoints = last.Labels, last.Ports, last.Endpoints
		create = create[:len(create)-1]
		update = append(update, reused)
		remove = slices.Delete(remove, i, i+1)
	}
	p.create = append(p.create, create...)
	p.update = append(p.update, update...)
	p.remove = append(p.remove, remove...)
}

// portKey is equal for equal ports.
func portKey(ports []discoveryv1.EndpointPort) string {
	key := make([]byte, 0, 32)
	for i := range ports {
		port := &ports[i]
		for _, s := range []*string{port.Name, (*string)(port.Protocol), port.AppProtocol} {
			if s != nil {
				key = append(key, *s...)
			}
			key = append(key, 0)
		}
		if port.Port != nil {
			key = append(key, byte(*port.Port>>8), byte(*port.Port))
		}
		key = append(key, 0)
	}
	return string(key)
}

// group makes the pods' endpoints, by the numbers of their ports.
func (l *loop) group(service *corev1.Service, addressType discoveryv1.AddressType, pods []*corev1.Pod, p *plan) []*group {
	var groups []*group
	byNumbers := map[string]*group{}
	var numbers []int32
	var key []byte
	for _, pod := range pods {
		found := addresses(pod, addressType)
		if len(found) == 0 {
			continue
		}
		node, ok := cache.Get[*corev1.Node](l.cache, nodeResource, "", pod.Spec.NodeName)
		if !ok && !service.Spec.PublishNotReadyAddresses {
			p.nodesMissing = true
			continue
		}
		numbers = targetPorts(numbers[:0], service, pod)
		key = key[:0]
		for _, n := range numbers {
			key = append(key, byte(n>>8), byte(n))
		}
		g, known := byNumbers[string(key)]
		if !known {
			g = &group{ports: ports(service, numbers)}
			byNumbers[string(key)] = g
			groups = append(groups, g)
		}
		g.endpoints = append(g.endpoints, newEndpoint(service, pod, node, found))
		var since time.Time
		if c := podutil.Condition(pod, corev1.PodReady); c != nil {
			since = c.LastTransitionTime.Time
		}
		g.since = append(g.since, since)
	}
	return groups
}

// place puts a group's endpoints into slices with as few writes as possible:
// those that have a slice stay there, the others fill first the slices that are
// written anyway, then one that has room for all of them, then new ones.
func (p *plan) place(service *corev1.Service, addressType discoveryv1.AddressType, g *group, present []*discoveryv1.EndpointSlice,
	create, update, remove *[]*discoveryv1.EndpointSlice) {
	where := make(map[identity]int, len(g.endpoints))
	for i := range g.endpoints {
		where[identify(&g.endpoints[i])] = i
	}
	placed := make([]bool, len(g.endpoints))
	left := len(g.endpoints)
	var touched, untouched []*discoveryv1.EndpointSlice
	for _, slice := range present {
		kept := make([]discoveryv1.Endpoint, 0, len(slice.Endpoints))
		same := true
		for i := range slice.Endpoints {
			j, ok := where[identify(&slice.Endpoints[i])]
			if !ok || placed[j] {
				same = false
				continue
			}
			placed[j] = true
			left--
			same = same && equal(&slice.Endpoints[i], &g.endpoints[j])
			if !samePointer(slice.Endpoints[i].Conditions.Serving, g.endpoints[j].Conditions.Serving) {
				p.note(g.since[j])
			}
			kept = append(kept, g.endpoints[j])
		}
		labels, relabelled := sliceLabels(service, slice.Labels)
		switch {
		case same && !relabelled:
			untouched = append(untouched, slice)
		case len(kept) == 0:
			*remove = append(*remove, slice)
		default:
			next := slice.DeepCopy()
			next.Labels, next.Endpoints = labels, kept
			touched = append(touched, next)
		}
	}
	next := 0
	fill := func(slice *discoveryv1.EndpointSlice) {
		for left > 0 && len(slice.Endpoints) < perSlice {
			for placed[next] {
				next++
			}
			slice.Endpoints = append(slice.Endpoints, g.endpoints[next])
			p.note(g.since[next])
			placed[next] = true
			left--
		}
	}
	fullestFirst := slices.Clone(touched)
	slices.SortStableFunc(fullestFirst, func(a, b *discoveryv1.EndpointSlice) int { return len(b.Endpoints) - len(a.Endpoints) })
	for _, slice := range fullestFirst {
		fill(slice)
	}
	for left > 0 {
		if i := tightest(untouched, left); i >= 0 {
			slice := untouched[i].DeepCopy()
			untouched = slices.Delete(untouched, i, i+1)
			fill(slice)
			touched = append(touched, slice)
			continue
		}
		slice := newSlice(service, addressType, g.ports)
		fill(slice)
		*create = append(*create, slice)
	}
	*update = append(*update, touched...)
}

// tightest is the index of the slice that has the least room to spare for some
// more endpoints, or -1.
func tightest(candidates []*discoveryv1.EndpointSlice, count int) int {
	best, least := -1, perSlice
	for i, slice := range candidates {
		if room := perSlice - len(slice.Endpoints) - count; room >= 0 && room < least {
			best, least = i, room
		}
	}
	return best
}

func newSlice(service *corev1.Service, addressType discoveryv1.AddressType, ports []discoveryv1.EndpointPort) *discoveryv1.EndpointSlice {
	prefix := service.Name + "-"
	if len(prefix) > validation.DNS1123SubdomainMaxLength {
		prefix = service.Name
	}
	labels, _ := sliceLabels(service, nil)
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName:    prefix,
			Namespace:       service.Namespace,
			Labels:          labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(service, corev1.SchemeGroupVersion.WithKind("Service"))},
		},
		AddressType: addressType,
		Ports:       ports,
		Endpoints:   []discoveryv1.Endpoint{},
	}
}

// sliceLabels are the Service's labels and the loop's own, and whether the
// present ones differ from the Service's.
func sliceLabels(service *corev1.Service, present map[string]string) (map[string]string, bool) {
	labels, mirrored := map[string]string{}, map[string]string{}
	for key, value := range service.Labels {
		if !reserved(key) {
			labels[key] = value
		}
	}
	for key, value := range present {
		if !reserved(key) {
			mirrored[key] = value
		}
	}
	changed := !maps.Equal(labels, mirrored)
	labels[discoveryv1.LabelServiceName] = service.Name
	labels[discoveryv1.LabelManagedBy] = managedBy
	if service.Spec.ClusterIP == corev1.ClusterIPNone || service.Spec.ClusterIP == "" {
		labels[corev1.IsHeadlessService] = ""
	}
	return labels, changed
}

func reserved(label string) bool {
	return label == discoveryv1.LabelServiceName || label == discoveryv1.LabelManagedBy || label == corev1.IsHeadlessService
}

func isPlaceholder(slice, empty *discoveryv1.EndpointSlice) bool {
	return len(slice.Endpoints) == 0 && len(slice.Ports) == 0 && maps.Equal(slice.Labels, empty.Labels)
}
