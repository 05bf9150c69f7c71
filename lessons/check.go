package lessons

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/store"
)

// Check is one condition. Exactly one of Path, Replaced and Request is set.
type Check struct {
	// Resource ("deployments.apps"), Namespace ("default" if empty) and Name
	// or Selector say which objects are meant; at least one must be there.
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Selector  string `json:"selector"`

	// Path is a field of the object, such as "status.readyReplicas" or
	// "spec.template.spec.containers[0].image". Equals compares its text;
	// AtLeast and AtMost its number, where an absent field is 0.
	Path    string `json:"path"`
	Equals  *Value `json:"equals"`
	AtLeast *int64 `json:"atLeast"`
	AtMost  *int64 `json:"atMost"`

	// Replaced: of the selected pods that there were when the step began one
	// is gone, and as many as this are Ready.
	Replaced *int `json:"replaced"`

	// Request: since the step began, the learner has asked the API for this
	// ("list", "get", "watch" or "patch", ...) of the resource.
	Request []string `json:"request"`

	// Says tells the learner what is so as long as the check does not hold;
	// "{value}" stands for the field's value or the number of Ready pods.
	Says string `json:"says"`
}

// Value is a scalar in YAML, compared as text.
type Value string

// UnmarshalJSON takes a text, a number or a boolean.
func (v *Value) UnmarshalJSON(data []byte) error {
	if text, err := strconv.Unquote(string(data)); err == nil {
		*v = Value(text)
		return nil
	}
	if strings.ContainsAny(string(data), "[{") {
		return errors.New("a value to compare with is a text, a number or a boolean")
	}
	*v = Value(data)
	return nil
}

func (c *Check) validate() error {
	kinds := 0
	for _, set := range []bool{c.Path != "", c.Replaced != nil, len(c.Request) > 0} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("exactly one of path, replaced and request must be set")
	}
	if c.Resource == "" {
		return errors.New("resource is missing")
	}
	if c.Path != "" && c.Equals == nil && c.AtLeast == nil && c.AtMost == nil {
		return errors.New("path needs equals, atLeast or atMost")
	}
	if c.Replaced != nil && c.Resource != "pods" {
		return errors.New("replaced is about pods")
	}
	if _, err := labels.Parse(c.Selector); err != nil {
		return err
	}
	return nil
}

// objects are the selected ones, by name.
func (c *Check) objects(from *cache.Cache) []store.Object {
	namespace := c.Namespace
	if namespace == "" && c.Resource != "nodes" && c.Resource != "namespaces" {
		namespace = corev1.NamespaceDefault
	}
	if c.Name != "" {
		if obj, ok := cache.Get[store.Object](from, c.Resource, namespace, c.Name); ok {
			return []store.Object{obj}
		}
		return nil
	}
	selector, _ := labels.Parse(c.Selector) // validate has parsed it
	return slices.DeleteFunc(cache.List[store.Object](from, c.Resource, namespace), func(obj store.Object) bool {
		return !selector.Matches(labels.Set(obj.GetLabels()))
	})
}

// field says whether the check of a field holds, and the field's value.
func (c *Check) field(from *cache.Cache) (holds bool, value string) {
	for _, obj := range c.objects(from) {
		value = lookup(obj, c.Path)
		if c.compare(value) {
			return true, value
		}
	}
	return false, value
}

func (c *Check) compare(value string) bool {
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil && value != "" {
		number = 0
	}
	return (c.Equals == nil || value == string(*c.Equals)) &&
		(c.AtLeast == nil || number >= *c.AtLeast) &&
		(c.AtMost == nil || number <= *c.AtMost)
}

// lookup returns the text of a field of an object; empty if it is absent.
func lookup(obj store.Object, fieldPath string) string {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return ""
	}
	var value any = content
	for part := range strings.SplitSeq(fieldPath, ".") {
		name, index, indexed := strings.Cut(part, "[")
		fields, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = fields[strings.ReplaceAll(name, "~", ".")] // in annotations: deployment~kubernetes~io/revision
		if indexed {
			i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			list, ok := value.([]any)
			if err != nil || !ok || i < 0 || i >= len(list) {
				return ""
			}
			value = list[i]
		}
	}
	if value == nil || reflect.TypeOf(value).Kind() == reflect.Map {
		return ""
	}
	return fmt.Sprint(value)
}

func isReady(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}
