package daemonset

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller/internal/history"
	"tidepool.dev/tidepool/engine/controller/internal/podcontrol"
	"tidepool.dev/tidepool/engine/controller/internal/podutil"
)

// plan is what a turn is about to do.
type plan struct {
	create []string // names of nodes
	delete []*corev1.Pod
}

// manage gives a pod to each node that lacks one and takes away those that are
// too many, have ended, or are where they must not be.
func (t *turn) manage(ctx context.Context) error {
	byNode := t.podsByNode()
	var p plan
	known := map[string]bool{}
	for _, node := range t.nodes {
		known[node.Name] = true
		pods, has := byNode[node.Name]
		switch run, goOn := t.wants(node); {
		case run && !has:
			p.create = append(p.create, node.Name)
		case goOn:
			t.keepOne(ctx, node, pods, run, &p)
		default:
			p.delete = append(p.delete, notDeleted(pods)...)
		}
	}
	// Nobody will ever bind a pod to a node that is gone.
	for _, pod := range t.pods {
		node, ok := nodeOf(pod)
		if ok && !known[node] && pod.Spec.NodeName == "" && counts(pod) {
			p.delete = append(p.delete, pod)
		}
	}
	return t.carryOut(ctx, p)
}

// podsByNode leaves out pods that have ended and are being deleted: they are as
// good as gone.
func (t *turn) podsByNode() map[string][]*corev1.Pod {
	byNode := map[string][]*corev1.Pod{}
	for _, pod := range t.pods {
		if node, ok := nodeOf(pod); ok && counts(pod) {
			byNode[node] = append(byNode[node], pod)
		}
	}
	return byNode
}

func counts(pod *corev1.Pod) bool { return !podutil.Terminal(pod) || pod.DeletionTimestamp == nil }

func notDeleted(pods []*corev1.Pod) []*corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}

func (t *turn) keepOne(ctx context.Context, node *corev1.Node, pods []*corev1.Pod, run bool, p *plan) {
	var running []*corev1.Pod
	for _, pod := range notDeleted(pods) {
		switch pod.Status.Phase {
		case corev1.PodFailed:
			if t.mayReplaceFailed(ctx, node, pod) {
				p.delete = append(p.delete, pod)
			}
		case corev1.PodSucceeded:
			t.recorder.Event(ctx, t.ds, corev1.EventTypeNormal, "SucceededDaemonPod",
				fmt.Sprintf("Found succeeded daemon pod %s/%s on node %s, will try to delete it", pod.Namespace, pod.Name, node.Name))
			p.delete = append(p.delete, pod)
		default:
			running = append(running, pod)
		}
	}
	sortByAge(running)
	switch surge := t.surge(1) > 0; {
	case len(running) > 1 && surge:
		t.keepOneOfEach(running, p)
	case len(running) > 1:
		p.delete = append(p.delete, running[1:]...)
	case len(running) == 0 && surge && run:
		p.create = append(p.create, node.Name)
	}
}

// mayReplaceFailed spaces out the replacement of pods that fail on a node again
// and again.
func (t *turn) mayReplaceFailed(ctx context.Context, node *corev1.Node, pod *corev1.Pod) bool {
	key := backoffKey{t.ds.UID, t.ds.Status.ObservedGeneration, node.Name}
	if wait := t.failedPods.wait(key, t.clock.Now()); wait > 0 {
		t.checkAfter(wait)
		return false
	}
	t.failedPods.next(key, t.clock.Now())
	t.recorder.Event(ctx, t.ds, corev1.EventTypeWarning, "FailedDaemonPod",
		fmt.Sprintf("Found failed daemon pod %s/%s on node %s, will try to kill it", pod.Namespace, pod.Name, node.Name))
	return true
}

// keepOneOfEach lets, during a rollout that surges, an old pod run until the new
// one on its node is available.
func (t *turn) keepOneOfEach(running []*corev1.Pod, p *plan) {
	var current, old *corev1.Pod
	for _, pod := range running {
		switch isCurrent := pod.Labels[history.HashLabel] == t.hash; {
		case isCurrent && current == nil:
			current = pod
		case !isCurrent && old == nil:
			old = pod
		default:
			p.delete = append(p.delete, pod)
		}
	}
	if current != nil && old != nil && (!podutil.Ready(old) || t.available(current)) {
		p.delete = append(p.delete, old)
	}
}

// sortByAge puts bound pods first, and of those the oldest.
func sortByAge(pods []*corev1.Pod) {
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		if bound := a.Spec.NodeName != ""; bound != (b.Spec.NodeName != "") {
			if bound {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

func (t *turn) carryOut(ctx context.Context, p plan) error {
	create, remove := p.create[:min(len(p.create), burst)], p.delete[:min(len(p.delete), burst)]
	reference := *metav1.NewControllerRef(t.ds, kind)
	template := t.ds.Spec.Template.DeepCopy()
	template.Spec.Tolerations = t.tolerations
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	if generation := t.ds.Annotations[appsv1.DeprecatedTemplateGeneration]; generation != "" {
		template.Labels[templateGenerationLabel] = generation
	}
	template.Labels[history.HashLabel] = t.hash
	_, err := podcontrol.CreateEach(len(create), func(i int) error {
		pod := podcontrol.NewPod(t.ds, reference, template)
		pod.Spec.Affinity = onlyNode(template.Spec.Affinity, create[i])
		_, err := t.loop.pods.Create(ctx, t.ds, pod)
		return err
	})
	for _, pod := range remove {
		if deleteErr := t.loop.pods.Delete(ctx, t.ds, pod); err == nil {
			err = deleteErr
		}
	}
	return err
}

// templateGenerationLabel is how pods once named their template.
const templateGenerationLabel = "pod-template-generation"
