package kubelet

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
)

// serviceEnv are the variables that tell a container of the Services that there
// are when it starts: those of its namespace, and that of the API server
// (k8s.io/kubernetes/pkg/kubelet.Kubelet.getServiceEnvVarMap upstream).
func (w *worker) serviceEnv() []EnvVar {
	var services []*corev1.Service
	if w.pod.Spec.EnableServiceLinks == nil || *w.pod.Spec.EnableServiceLinks {
		services = cache.List[*corev1.Service](w.Cache, "services", w.pod.Namespace)
	}
	if w.pod.Namespace != corev1.NamespaceDefault || len(services) == 0 {
		if api, ok := cache.Get[*corev1.Service](w.Cache, "services", corev1.NamespaceDefault, "kubernetes"); ok {
			services = append(services, api)
		}
	}
	return w.serviceVars.of(services)
}

// serviceVars remembers the last variables: most containers of a node see the
// same Services.
type serviceVars struct {
	mu       sync.Mutex
	services []*corev1.Service
	vars     []EnvVar
}

func (s *serviceVars) of(services []*corev1.Service) []EnvVar {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vars == nil || !slices.Equal(s.services, services) {
		s.services, s.vars = services, []EnvVar{}
		for _, service := range services {
			s.vars = append(s.vars, linkVars(service)...)
		}
		slices.SortFunc(s.vars, func(a, b EnvVar) int { return cmp.Compare(a.Name, b.Name) })
	}
	return slices.Clip(s.vars)
}

// linkVars are those of one Service
// (k8s.io/kubernetes/pkg/kubelet/envvars.FromServices upstream).
func linkVars(service *corev1.Service) []EnvVar {
	ip := service.Spec.ClusterIP
	if ip == "" || ip == corev1.ClusterIPNone || len(service.Spec.Ports) == 0 {
		return nil
	}
	name := variableName(service.Name)
	first := service.Spec.Ports[0]
	vars := []EnvVar{{name + "_SERVICE_HOST", ip}, {name + "_SERVICE_PORT", number(first.Port)}}
	for i := range service.Spec.Ports {
		p := &service.Spec.Ports[i]
		if p.Name != "" {
			vars = append(vars, EnvVar{name + "_SERVICE_PORT_" + variableName(p.Name), number(p.Port)})
		}
	}
	for i := range service.Spec.Ports {
		p := &service.Spec.Ports[i]
		protocol := cmp.Or(string(p.Protocol), string(corev1.ProtocolTCP))
		url := strings.ToLower(protocol) + "://" + joined(ip, p.Port)
		if i == 0 {
			vars = append(vars, EnvVar{name + "_PORT", url})
		}
		prefix := name + "_PORT_" + number(p.Port) + "_" + strings.ToUpper(protocol)
		vars = append(vars, EnvVar{prefix, url}, EnvVar{prefix + "_PROTO", strings.ToLower(protocol)},
			EnvVar{prefix + "_PORT", number(p.Port)}, EnvVar{prefix + "_ADDR", ip})
	}
	return vars
}

func joined(ip string, port int32) string {
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	return ip + ":" + number(port)
}

func number(n int32) string { return strconv.Itoa(int(n)) }

// variableName makes a name of letters that variables may have.
func variableName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
