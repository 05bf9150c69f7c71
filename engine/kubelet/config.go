package kubelet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/cache"
)

// containerConfig resolves what a container is made of: its environment from
// the objects that it refers to, its command with the variables expanded. An
// error says what is missing, as Kubernetes words it.
func (w *worker) containerConfig(c *container, image Image) (ContainerConfig, error) {
	config := ContainerConfig{Pod: w.pod, Container: c.spec, Image: image, Mounts: w.mounts(c.spec)}
	if c.target != "" {
		target := w.find(c.target)
		if target == nil || !target.created {
			return config, fmt.Errorf("unable to find target container %v", c.target)
		}
		config.Target = target.status.ID
	}
	if c.created {
		config.Attempt = c.attempt + 1
	}
	env := environment{services: w.serviceEnv()}
	for i := range c.spec.EnvFrom {
		if err := w.addFrom(&env, &c.spec.EnvFrom[i]); err != nil {
			return config, err
		}
	}
	for i := range c.spec.Env {
		if err := w.addVar(&env, c, &c.spec.Env[i]); err != nil {
			return config, err
		}
	}
	config.Env = env.all()
	config.Command = expandAll(c.spec.Command, env.lookup)
	config.Args = expandAll(c.spec.Args, env.lookup)
	return config, nil
}

// environment is a list of variables in which a later one replaces an earlier
// one of the same name, and any those of the Services.
type environment struct{ vars, services []EnvVar }

func (e *environment) all() []EnvVar {
	if len(e.vars) == 0 {
		return e.services
	}
	all := slices.Clip(e.vars)
	for _, v := range e.services {
		if !slices.ContainsFunc(e.vars, func(own EnvVar) bool { return own.Name == v.Name }) {
			all = append(all, v)
		}
	}
	return all
}

func (e *environment) set(name, value string) {
	if i := slices.IndexFunc(e.vars, func(v EnvVar) bool { return v.Name == name }); i >= 0 {
		e.vars[i].Value = value
		return
	}
	e.vars = append(e.vars, EnvVar{name, value})
}

func (e *environment) lookup(name string) (string, bool) {
	for _, list := range [...][]EnvVar{e.vars, e.services} {
		for _, v := range list {
			if v.Name == name {
				return v.Value, true
			}
		}
	}
	return "", false
}

func (w *worker) addFrom(env *environment, from *corev1.EnvFromSource) error {
	var data map[string]string
	switch {
	case from.ConfigMapRef != nil:
		ref := from.ConfigMapRef
		object, ok := cache.Get[*corev1.ConfigMap](w.Cache, "configmaps", w.pod.Namespace, ref.Name)
		if !ok && !isTrue(ref.Optional) {
			return fmt.Errorf("configmap %q not found", ref.Name)
		}
		if ok {
			data = object.Data
		}
	case from.SecretRef != nil:
		ref := from.SecretRef
		object, ok := cache.Get[*corev1.Secret](w.Cache, "secrets", w.pod.Namespace, ref.Name)
		if !ok && !isTrue(ref.Optional) {
			return fmt.Errorf("secret %q not found", ref.Name)
		}
		if ok {
			data = text(object.Data)
		}
	}
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		env.set(from.Prefix+name, data[name])
	}
	return nil
}

func (w *worker) addVar(env *environment, c *container, v *corev1.EnvVar) error {
	if v.ValueFrom == nil {
		env.set(v.Name, expand(v.Value, env.lookup))
		return nil
	}
	from := v.ValueFrom
	var value string
	found := true
	switch {
	case from.FieldRef != nil:
		value = w.field(from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		value = w.resourceField(c, from.ResourceFieldRef)
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		object, ok := cache.Get[*corev1.ConfigMap](w.Cache, "configmaps", w.pod.Namespace, ref.Name)
		if !ok && !isTrue(ref.Optional) {
			return fmt.Errorf("configmap %q not found", ref.Name)
		}
		if ok {
			value, found = object.Data[ref.Key]
		} else {
			found = false
		}
		if ok && !found && !isTrue(ref.Optional) {
			return fmt.Errorf("couldn't find key %v in ConfigMap %v/%v", ref.Key, w.pod.Namespace, ref.Name)
		}
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		object, ok := cache.Get[*corev1.Secret](w.Cache, "secrets", w.pod.Namespace, ref.Name)
		if !ok && !isTrue(ref.Optional) {
			return fmt.Errorf("secret %q not found", ref.Name)
		}
		found = false
		if ok {
			var raw []byte
			raw, found = object.Data[ref.Key]
			value = string(raw)
		}
		if ok && !found && !isTrue(ref.Optional) {
			return fmt.Errorf("couldn't find key %v in Secret %v/%v", ref.Key, w.pod.Namespace, ref.Name)
		}
	}
	if found {
		env.set(v.Name, value)
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func text(data map[string][]byte) map[string]string {
	out := make(map[string]string, len(data))
	for key, value := range data {
		out[key] = string(value)
	}
	return out
}

// field is the value of a downward API field.
func (w *worker) field(path string) string {
	if value, ok := metadataField(w.pod, path); ok {
		return value
	}
	switch path {
	case "spec.nodeName":
		return w.pod.Spec.NodeName
	case "spec.serviceAccountName":
		return w.pod.Spec.ServiceAccountName
	case "status.hostIP", "status.hostIPs":
		return w.Node.InternalIP
	case "status.podIP":
		return w.podIP()
	case "status.podIPs":
		return strings.Join(w.podIPs(), ",")
	}
	return ""
}

// metadataField is a field of the downward API that volumes have, too.
func metadataField(pod *corev1.Pod, path string) (string, bool) {
	if name, ok := subscript(path, "metadata.labels"); ok {
		return pod.Labels[name], true
	}
	if name, ok := subscript(path, "metadata.annotations"); ok {
		return pod.Annotations[name], true
	}
	switch path {
	case "metadata.labels":
		return formatMap(pod.Labels), true
	case "metadata.annotations":
		return formatMap(pod.Annotations), true
	case "metadata.name":
		return pod.Name, true
	case "metadata.namespace":
		return pod.Namespace, true
	case "metadata.uid":
		return string(pod.UID), true
	}
	return "", false
}

// formatMap writes a map as files of the downward API have it
// (k8s.io/kubernetes/pkg/fieldpath.FormatMap).
func formatMap(m map[string]string) string {
	lines := make([]string, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, fmt.Sprintf("%v=%q", key, m[key]))
	}
	return strings.Join(lines, "\n")
}

// subscript takes the name out of a path like metadata.labels['name'].
func subscript(path, of string) (string, bool) {
	name, ok := strings.CutPrefix(path, of+"['")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, "']")
}

// resourceField is the request or limit of a container, or of the one that is
// named, in units of the divisor.
func (w *worker) resourceField(c *container, ref *corev1.ResourceFieldSelector) string {
	if other := w.find(ref.ContainerName); other != nil {
		c = other
	}
	if c == nil {
		return ""
	}
	spec := c.spec
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := spec.Resources.Requests
	if kind == "limits" {
		list = spec.Resources.Limits
	}
	value, ok := list[corev1.ResourceName(name)]
	if !ok && kind == "limits" {
		value = w.Node.Capacity[corev1.ResourceName(name)]
	}
	if name == "cpu" {
		unit := cmp.Or(ref.Divisor.MilliValue(), 1000)
		return fmt.Sprint((value.MilliValue() + unit - 1) / unit)
	}
	unit := cmp.Or(ref.Divisor.Value(), 1)
	return fmt.Sprint((value.Value() + unit - 1) / unit)
}

func expandAll(words []string, lookup func(string) (string, bool)) []string {
	if len(words) == 0 {
		return nil
	}
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = expand(word, lookup)
	}
	return out
}

// expand replaces $(NAME) by a variable's value where there is such a variable;
// $$ stands for one $.
func expand(s string, lookup func(string) (string, bool)) string {
	if !strings.Contains(s, "$") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		switch s[i+1] {
		case '$':
			out.WriteByte('$')
			i++
		case '(':
			end := strings.IndexByte(s[i:], ')')
			if end < 0 {
				out.WriteByte('$')
				continue
			}
			if value, ok := lookup(s[i+2 : i+end]); ok {
				out.WriteString(value)
			} else {
				out.WriteString(s[i : i+end+1])
			}
			i += end
		default:
			out.WriteByte('$')
		}
	}
	return out.String()
}
