package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/internal/volumes"
	"tidepool.dev/tidepool/engine/store"
)

var (
	outOfReach = &refusal{"VolumeBinding", []string{"node(s) had volume node affinity conflict"}, true}
	noVolume   = &refusal{"VolumeBinding", []string{"node(s) didn't find available persistent volumes to bind"}, true}
	otherZone  = &refusal{"VolumeZone", []string{"node(s) had no available volume zone"}, true}
	claimTaken = &refusal{"VolumeRestrictions", []string{"node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"}, false}
)

// storage is what a pod's claims mean for the choice of its node (the plugins
// VolumeBinding, VolumeZone and VolumeRestrictions upstream).
type storage struct {
	// problem, if set, is why no node can take the pod, as plugin says.
	problem, plugin string
	bound           []*corev1.PersistentVolume
	// waiting claims get their volume where the pod goes.
	waiting []waitingClaim
	all     []*corev1.PersistentVolume // for the waiting claims
	taken   bool                       // another pod has a claim that only one may have
}

type waitingClaim struct {
	*corev1.PersistentVolumeClaim
	class *storagev1.StorageClass
}

// unpack looks at a pod's claims.
func (s *Scheduler) unpack(p *podInfo) (found storage) {
	for i := range p.Spec.Volumes {
		volume := &p.Spec.Volumes[i]
		name := volumes.ClaimOf(p.Pod, volume)
		if name == "" {
			continue
		}
		claim, ok := cache.Get[*corev1.PersistentVolumeClaim](s.cache, volumes.ClaimResource, p.Namespace, name)
		switch {
		case !ok && volume.Ephemeral != nil:
			return storage{problem: fmt.Sprintf("waiting for ephemeral volume controller to create the persistentvolumeclaim %q", name), plugin: "VolumeBinding"}
		case !ok:
			return storage{problem: fmt.Sprintf("persistentvolumeclaim %q not found", name), plugin: "VolumeBinding"}
		case claim.Status.Phase == corev1.ClaimLost:
			return storage{problem: fmt.Sprintf("persistentvolumeclaim %q bound to non-existent persistentvolume %q", name, claim.Spec.VolumeName), plugin: "VolumeBinding"}
		case claim.DeletionTimestamp != nil:
			return storage{problem: fmt.Sprintf("persistentvolumeclaim %q is being deleted", name), plugin: "VolumeBinding"}
		}
		found.taken = found.taken || s.isTaken(p, claim)
		if _, completed := claim.Annotations[volumes.BindCompleted]; completed && claim.Spec.VolumeName != "" {
			if volume, ok := cache.Get[*corev1.PersistentVolume](s.cache, volumes.Resource, "", claim.Spec.VolumeName); ok {
				found.bound = append(found.bound, volume)
			}
			continue
		}
		class, ok := cache.Get[*storagev1.StorageClass](s.cache, volumes.ClassResource, "", volumes.Class(claim))
		if !ok || !volumes.Waits(class) || claim.Spec.VolumeName != "" {
			return storage{problem: "pod has unbound immediate PersistentVolumeClaims", plugin: "VolumeBinding"}
		}
		found.waiting = append(found.waiting, waitingClaim{claim, class})
	}
	if len(found.waiting) > 0 {
		found.all = cache.List[*corev1.PersistentVolume](s.cache, volumes.Resource, "")
	}
	return found
}

// isTaken reports whether another pod uses a claim that only one pod may use.
func (s *Scheduler) isTaken(p *podInfo, claim *corev1.PersistentVolumeClaim) bool {
	if !slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteOncePod) {
		return false
	}
	for _, pod := range cache.Find[*corev1.Pod](s.cache, "pods", cache.ByClaim, claim.Namespace+"/"+claim.Name) {
		if _, placed := s.cluster.placed[pod.UID]; placed && pod.UID != p.UID {
			return true
		}
	}
	return false
}

// check asks whether a node has, or can get, all volumes.
func (st *storage) check(n *nodeInfo) *refusal {
	if st.taken {
		return claimTaken
	}
	for _, volume := range st.bound {
		if !volumes.Reaches(volume, n.Node) {
			return outOfReach
		}
	}
	if len(st.waiting) > 0 {
		if _, _, ok := st.plan(n.Node); !ok {
			return noVolume
		}
	}
	for _, volume := range st.bound {
		if !sameZone(volume, n.Node) {
			return otherZone
		}
	}
	return nil
}

// plan finds the volumes of the waiting claims on a node, and the claims for
// which volumes have to be made.
func (st *storage) plan(node *corev1.Node) (chosen map[string]*corev1.PersistentVolume, made []waitingClaim, ok bool) {
	taken := map[string]bool{}
	chosen = map[string]*corev1.PersistentVolume{}
	for _, claim := range st.waiting {
		if selected, has := claim.Annotations[volumes.SelectedNode]; has { // it is being made
			if selected != node.Name {
				return nil, nil, false
			}
			made = append(made, claim)
			continue
		}
		if volume := volumes.Best(claim.PersistentVolumeClaim, st.all, node, true, taken); volume != nil {
			taken[volume.Name], chosen[claim.Name] = true, volume
			continue
		}
		if !canProvision(claim.class, node) {
			return nil, nil, false
		}
		made = append(made, claim)
	}
	return chosen, made, true
}

func canProvision(class *storagev1.StorageClass, node *corev1.Node) bool {
	if class.Provisioner == "" || class.Provisioner == volumes.NoProvisioner {
		return false
	}
	if len(class.AllowedTopologies) == 0 {
		return true
	}
	return slices.ContainsFunc(class.AllowedTopologies, func(term corev1.TopologySelectorTerm) bool {
		for _, expression := range term.MatchLabelExpressions {
			if value, ok := node.Labels[expression.Key]; !ok || !slices.Contains(expression.Values, value) {
				return false
			}
		}
		return true
	})
}

// sameZone compares the zones and regions that a volume's labels name, several
// joined by "__", with the node's.
func sameZone(volume *corev1.PersistentVolume, node *corev1.Node) bool {
	for _, key := range [...]string{
		corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion,
	} {
		wanted, labelled := volume.Labels[key]
		if value, has := node.Labels[key]; labelled && (!has || !slices.Contains(strings.Split(wanted, "__"), value)) {
			return false
		}
	}
	return true
}

// reserve gives the waiting claims of a pod their volumes on a node, or has
// them made there. The pod is placed once they are bound.
func (s *Scheduler) reserve(ctx context.Context, st *storage, node *corev1.Node) error {
	chosen, made, _ := st.plan(node)
	for _, claim := range st.waiting {
		volume, ok := chosen[claim.Name]
		if !ok {
			continue
		}
		if bound, changed := volumes.Reserve(volume, claim.PersistentVolumeClaim); changed {
			if _, err := s.client.Update(ctx, volumes.Resource, bound); err != nil {
				return err
			}
		}
	}
	for _, claim := range made {
		if claim.Annotations[volumes.SelectedNode] == node.Name {
			continue
		}
		next := claim.PersistentVolumeClaim.DeepCopy()
		metav1.SetMetaDataAnnotation(&next.ObjectMeta, volumes.SelectedNode, node.Name)
		if _, err := s.client.Update(ctx, volumes.ClaimResource, next); err != nil {
			return err
		}
	}
	return nil
}

// await has a pod's waiting claims bound for a node; it tells whether there is
// anything to wait for.
func (s *Scheduler) await(ctx context.Context, w *waiting, pod *corev1.Pod, st *storage, node *corev1.Node) bool {
	if len(st.waiting) == 0 {
		return false
	}
	s.queue.park(w, storageChanged, s.clock.Now())
	s.mu.Unlock()
	if err := s.reserve(ctx, st, node); err != nil && !errors.IsConflict(err) && !errors.IsNotFound(err) {
		s.fail(ctx, pod, corev1.PodReasonSchedulerError, `running PreBind plugin "VolumeBinding": `+err.Error(), keepNomination)
	}
	return true
}

// observeStorage wakes the pods that wait for their volumes.
func (s *Scheduler) observeStorage(store.Event) []controller.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.queue.helped(storageChanged, storageChanged, s.clock.Now()) {
		return nil
	}
	return turn
}
