package kinds

import (
	"maps"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tidepool.dev/tidepool/engine/api/defaulting"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func daemonSet() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind:         appsv1.SchemeGroupVersion.WithKind("DaemonSet"),
		Plural:                   "daemonsets",
		Singular:                 "daemonset",
		ShortNames:               []string{"ds"},
		Categories:               []string{"all"},
		Namespaced:               true,
		New:                      func() store.Object { return &appsv1.DaemonSet{} },
		NewList:                  func() runtime.Object { return &appsv1.DaemonSetList{} },
		Default:                  on(defaultDaemonSet),
		PrepareForCreate:         on(prepareDaemonSet),
		PrepareForUpdate:         onUpdate(prepareDaemonSetUpdate),
		PrepareForStatusUpdate:   onUpdate(prepareDaemonSetStatusUpdate),
		Validate:                 validate(validation.DaemonSet),
		ValidateUpdate:           validateUpdate(validation.DaemonSetUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.DaemonSetStatusUpdate),
		Warnings:                 warnings(daemonSetWarnings),
		AllowUnconditionalUpdate: true,
		Columns:                  daemonSetColumns(),
		Row:                      row(daemonSetRow),
	}
}

func defaultDaemonSet(ds *appsv1.DaemonSet) {
	strategy := &ds.Spec.UpdateStrategy
	if strategy.Type == "" {
		strategy.Type = appsv1.RollingUpdateDaemonSetStrategyType
	}
	if strategy.Type == appsv1.RollingUpdateDaemonSetStrategyType {
		if strategy.RollingUpdate == nil {
			strategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{}
		}
		if strategy.RollingUpdate.MaxUnavailable == nil {
			strategy.RollingUpdate.MaxUnavailable = new(intstr.FromInt32(1))
		}
		if strategy.RollingUpdate.MaxSurge == nil {
			strategy.RollingUpdate.MaxSurge = new(intstr.FromInt32(0))
		}
	}
	if ds.Spec.RevisionHistoryLimit == nil {
		ds.Spec.RevisionHistoryLimit = new(int32(10))
	}
	defaulting.PodSpec(&ds.Spec.Template.Spec)
}

func prepareDaemonSet(ds *appsv1.DaemonSet) {
	ds.Status = appsv1.DaemonSetStatus{}
	ds.Generation = 1
	setTemplateGeneration(ds, max(templateGeneration(ds), 1))
	defaulting.DropGated(&ds.Spec.Template.Spec)
}

// prepareDaemonSetUpdate also counts the changes of the template.
func prepareDaemonSetUpdate(ds, old *appsv1.DaemonSet) {
	defaulting.DropGated(&ds.Spec.Template.Spec)
	ds.Status = old.Status
	generation := templateGeneration(old)
	switch {
	case !equality.Semantic.DeepEqual(&ds.Spec.Template, &old.Spec.Template):
		generation++
		ds.Generation = old.Generation + 1
	case !equality.Semantic.DeepEqual(&ds.Spec, &old.Spec):
		ds.Generation = old.Generation + 1
	}
	setTemplateGeneration(ds, generation)
}

func prepareDaemonSetStatusUpdate(ds, old *appsv1.DaemonSet) {
	ds.Spec = old.Spec
	setTemplateGeneration(ds, templateGeneration(old))
}

// templateGeneration counts the templates that a DaemonSet has had. It was a
// field of the spec once; this version keeps it in an annotation, which only
// the API writes.
func templateGeneration(ds *appsv1.DaemonSet) int64 {
	generation, err := strconv.ParseInt(ds.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64)
	if err != nil {
		return 0
	}
	return generation
}

func setTemplateGeneration(ds *appsv1.DaemonSet, generation int64) {
	annotations := maps.Clone(ds.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[appsv1.DeprecatedTemplateGeneration] = strconv.FormatInt(generation, 10)
	ds.Annotations = annotations
}

func daemonSetWarnings(ds, old *appsv1.DaemonSet) []string {
	if old != nil && templateGeneration(ds) == templateGeneration(old) {
		return nil
	}
	return validation.TemplateWarnings("", &ds.Spec.Template)
}

func daemonSetColumns() []metav1.TableColumnDefinition {
	return append([]metav1.TableColumnDefinition{
		nameColumn(),
		integerColumn("Desired", "The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/"),
		integerColumn("Current", "The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/"),
		integerColumn("Ready", "numberReady is the number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition."),
		integerColumn("Up-to-date", "The total number of nodes that are running updated daemon pod"),
		integerColumn("Available", "The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)"),
		textColumn("Node Selector", "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/"),
		ageColumn(),
	}, templateColumns("A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors")...)
}

func daemonSetRow(ds *appsv1.DaemonSet, now time.Time) []any {
	containers := ds.Spec.Template.Spec.Containers
	return []any{
		ds.Name, int64(ds.Status.DesiredNumberScheduled), int64(ds.Status.CurrentNumberScheduled), int64(ds.Status.NumberReady),
		int64(ds.Status.UpdatedNumberScheduled), int64(ds.Status.NumberAvailable),
		labels.FormatLabels(ds.Spec.Template.Spec.NodeSelector), age(ds.CreationTimestamp, now),
		containerNames(containers), containerImages(containers), metav1.FormatLabelSelector(ds.Spec.Selector),
	}
}
