package admission

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
)

// mostPodsChecked bounds how many pods of a namespace are looked at when its
// level changes.
const mostPodsChecked = 3000

// unlabelled is the policy of namespaces that say nothing.
var unlabelled = func() api.Policy {
	all := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	return api.Policy{Enforce: all, Audit: all, Warn: all}
}()

var podSecurityChecks = sync.OnceValue(func() podsecurity.Evaluator {
	checks, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks(), nil)
	if err != nil {
		panic(err) // the checks are upstream's own
	}
	return checks
})

// podSecurity holds pods to the Pod Security Standard that their namespace's
// labels name, warns of workloads whose pods would be refused, and of pods that
// are there when a namespace gets a stricter level.
func podSecurity(look lookup) Plugin {
	return Plugin{Name: "PodSecurity", Validate: func(ctx context.Context, r *Request) error {
		if r.Operation == Delete {
			return nil
		}
		if namespace, ok := r.Object.(*corev1.Namespace); ok {
			if r.Subresource != "" {
				return nil
			}
			return checkLabels(ctx, look, r, namespace)
		}
		meta, spec := podSpecOf(r)
		if spec == nil {
			return nil
		}
		namespace, err := r.namespace(ctx, look)
		if err != nil || namespace == nil {
			return err
		}
		wanted, _ := api.PolicyToEvaluate(namespace.Labels, unlabelled)
		if wanted.FullyPrivileged() {
			return nil
		}
		_, isPod := r.Object.(*corev1.Pod)
		return holdTo(r, wanted, meta, spec, isPod)
	}}
}

// podSpecOf returns what a request says of pods; nil if that is nothing new.
func podSpecOf(r *Request) (*metav1.ObjectMeta, *corev1.PodSpec) {
	if pod, ok := r.Object.(*corev1.Pod); ok {
		switch r.Subresource {
		case "", "ephemeralcontainers", "resize":
		default:
			return nil, nil
		}
		if old, updated := r.Old.(*corev1.Pod); updated && !otherImages(pod, old) {
			return nil, nil
		}
		return &pod.ObjectMeta, &pod.Spec
	}
	if r.Subresource != "" {
		return nil, nil
	}
	var template *corev1.PodTemplateSpec
	switch obj := r.Object.(type) {
	case *corev1.PodTemplate:
		template = &obj.Template
	case *corev1.ReplicationController:
		template = obj.Spec.Template
	case *appsv1.ReplicaSet:
		template = &obj.Spec.Template
	case *appsv1.Deployment:
		template = &obj.Spec.Template
	case *appsv1.DaemonSet:
		template = &obj.Spec.Template
	case *appsv1.StatefulSet:
		template = &obj.Spec.Template
	case *batchv1.Job:
		template = &obj.Spec.Template
	case *batchv1.CronJob:
		template = &obj.Spec.JobTemplate.Spec.Template
	}
	if template == nil {
		return nil, nil
	}
	return &template.ObjectMeta, &template.Spec
}

// otherImages: nothing else of a pod that matters here can change.
func otherImages(pod, old *corev1.Pod) bool {
	differ := func(a, b []corev1.Container) bool {
		return !slices.EqualFunc(a, b, func(x, y corev1.Container) bool { return x.Image == y.Image })
	}
	if differ(pod.Spec.Containers, old.Spec.Containers) || differ(pod.Spec.InitContainers, old.Spec.InitContainers) {
		return true
	}
	for i := range pod.Spec.EphemeralContainers {
		c := &pod.Spec.EphemeralContainers[i]
		if !slices.ContainsFunc(old.Spec.EphemeralContainers, func(o corev1.EphemeralContainer) bool { return o.Name == c.Name && o.Image == c.Image }) {
			return true
		}
	}
	return false
}

// holdTo refuses a pod that violates the enforced level; what only violates the
// level to warn of is warned of.
func holdTo(r *Request, wanted api.Policy, meta *metav1.ObjectMeta, spec *corev1.PodSpec, enforce bool) error {
	if enforce {
		if result := evaluate(wanted.Enforce, meta, spec); !result.Allowed {
			return r.Forbidden(fmt.Errorf("violates PodSecurity %q: %s", wanted.Enforce.String(), result.ForbiddenDetail()))
		}
	}
	if result := evaluate(wanted.Warn, meta, spec); !result.Allowed {
		r.warn(fmt.Sprintf("would violate PodSecurity %q: %s", wanted.Warn.String(), result.ForbiddenDetail()))
	}
	return nil
}

func evaluate(level api.LevelVersion, meta *metav1.ObjectMeta, spec *corev1.PodSpec) podsecurity.AggregateCheckResult {
	return podsecurity.AggregateCheckResults(podSecurityChecks().EvaluatePod(level, meta, spec))
}

// checkLabels refuses namespaces with labels that make no sense, and warns of
// the pods that are stricter labels' victims.
func checkLabels(ctx context.Context, look lookup, r *Request, namespace *corev1.Namespace) error {
	wanted, errs := api.PolicyToEvaluate(namespace.Labels, unlabelled)
	old, updated := r.Old.(*corev1.Namespace)
	var was api.Policy
	if updated {
		before, oldErrs := api.PolicyToEvaluate(old.Labels, unlabelled)
		if was = before; reflect.DeepEqual(errs, oldErrs) {
			errs = nil
		}
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(r.Kind.GroupVersionKind.GroupKind(), namespace.Name, errs)
	}
	if !updated || wanted.Enforce == was.Enforce || wanted.Enforce.Level == api.LevelPrivileged ||
		wanted.Enforce.Version == was.Enforce.Version && api.CompareLevels(wanted.Enforce.Level, was.Enforce.Level) < 1 {
		return nil
	}
	pods, err := list[*corev1.Pod](ctx, look, "pods", namespace.Name)
	if err != nil {
		return err
	}
	for _, text := range violations(namespace.Name, pods, wanted.Enforce) {
		r.warn(text)
	}
	return nil
}

// violations are the warnings about pods that violate a level; those with the
// same fault share one.
func violations(namespace string, pods []*corev1.Pod, level api.LevelVersion) []string {
	type fault struct {
		first string // of the pods, by name
		pods  int
	}
	faults := map[string]fault{}
	checked := oneOfEachFirst(pods)
	var warnings []string
	if len(checked) > mostPodsChecked {
		warnings = append(warnings, fmt.Sprintf("new PodSecurity enforce level only checked against the first %d of %d existing pods", mostPodsChecked, len(checked)))
		checked = checked[:mostPodsChecked]
	}
	for _, pod := range checked {
		result := evaluate(level, &pod.ObjectMeta, &pod.Spec)
		if result.Allowed {
			continue
		}
		f := faults[result.ForbiddenReason()]
		if f.pods++; f.pods == 1 || pod.Name < f.first {
			f.first = pod.Name
		}
		faults[result.ForbiddenReason()] = f
	}
	if len(faults) == 0 {
		return warnings
	}
	warnings = append(warnings, fmt.Sprintf("existing pods in namespace %q violate the new PodSecurity enforce level %q", namespace, level.String()))
	var texts []string
	for reason, f := range faults { // sorted below
		switch f.pods {
		case 1:
			texts = append(texts, f.first+": "+reason)
		case 2:
			texts = append(texts, f.first+" (and 1 other pod): "+reason)
		default:
			texts = append(texts, fmt.Sprintf("%s (and %d other pods): %s", f.first, f.pods-1, reason))
		}
	}
	slices.Sort(texts)
	return append(warnings, texts...)
}

// oneOfEachFirst puts the other pods of a controller behind its first.
func oneOfEachFirst(pods []*corev1.Pod) []*corev1.Pod {
	var first, others []*corev1.Pod
	seen := map[types.UID]bool{}
	for _, pod := range pods {
		owner := metav1.GetControllerOfNoCopy(pod)
		if owner != nil && seen[owner.UID] {
			others = append(others, pod)
			continue
		}
		if owner != nil {
			seen[owner.UID] = true
		}
		first = append(first, pod)
	}
	return append(first, others...)
}
