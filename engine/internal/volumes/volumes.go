// Package volumes says which PersistentVolume suits which claim. The binder, the
// scheduler and kubelets have to agree on it, and do so here
// (k8s.io/component-helpers/storage/volume upstream, which needs all of
// client-go's scheme).
package volumes

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// The resources, as the store names them.
const (
	Resource      = "persistentvolumes"
	ClaimResource = "persistentvolumeclaims"
	ClassResource = "storageclasses.storage.k8s.io"
)

// Annotations by which those who bind and provision agree.
const (
	// BindCompleted on a claim: its volume is settled.
	BindCompleted = "pv.kubernetes.io/bind-completed"
	// BoundByController on a claim or volume: no person has chosen the other
	// side, so the binder may take it back.
	BoundByController = "pv.kubernetes.io/bound-by-controller"
	// ProvisionedBy on a volume names who has made it.
	ProvisionedBy = "pv.kubernetes.io/provisioned-by"
	// Provisioner and BetaProvisioner on a claim name who is to make its volume.
	Provisioner     = "volume.kubernetes.io/storage-provisioner"
	BetaProvisioner = "volume.beta.kubernetes.io/storage-provisioner"
	// SelectedNode on a claim is where its first consumer goes.
	SelectedNode = "volume.kubernetes.io/selected-node"
	// NoProvisioner is the provisioner of classes whose volumes people make.
	NoProvisioner = "kubernetes.io/no-provisioner"
)

// Class is the class that a claim asks for.
func Class(claim *corev1.PersistentVolumeClaim) string {
	if class, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	if claim.Spec.StorageClassName != nil {
		return *claim.Spec.StorageClassName
	}
	return ""
}

// HasClass reports whether a claim says anything about its class.
func HasClass(claim *corev1.PersistentVolumeClaim) bool {
	_, annotated := claim.Annotations[corev1.BetaStorageClassAnnotation]
	return annotated || claim.Spec.StorageClassName != nil
}

// ClassOf is the class of a volume.
func ClassOf(volume *corev1.PersistentVolume) string {
	if class, ok := volume.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return volume.Spec.StorageClassName
}

// Waits reports whether claims of a class wait for their first consumer.
func Waits(class *storagev1.StorageClass) bool {
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
}

// Reserved reports whether a volume is bound to a claim, or kept for it.
func Reserved(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	ref := volume.Spec.ClaimRef
	return ref != nil && ref.Name == claim.Name && ref.Namespace == claim.Namespace && (ref.UID == "" || ref.UID == claim.UID)
}

// Reserve returns the volume bound to the claim; changed is false where it was
// already. The volume itself stays as it is.
func Reserve(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) (bound *corev1.PersistentVolume, changed bool) {
	bound = volume.DeepCopy()
	if ref := bound.Spec.ClaimRef; ref == nil || ref.Name != claim.Name || ref.Namespace != claim.Namespace || ref.UID != claim.UID {
		bound.Spec.ClaimRef = &corev1.ObjectReference{
			Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
		}
		changed = true
	}
	if _, marked := volume.Annotations[BoundByController]; !marked && !Reserved(volume, claim) {
		metav1.SetMetaDataAnnotation(&bound.ObjectMeta, BoundByController, "yes")
		changed = true
	}
	return bound, changed
}

// SameMode reports whether claim and volume agree on being a file system.
func SameMode(claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) bool {
	return modeOf(claim.Spec.VolumeMode) == modeOf(volume.Spec.VolumeMode)
}

func modeOf(mode *corev1.PersistentVolumeMode) corev1.PersistentVolumeMode {
	if mode == nil {
		return corev1.PersistentVolumeFilesystem
	}
	return *mode
}

// Offers reports whether a volume has all access modes that a claim wants.
func Offers(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	for _, mode := range claim.Spec.AccessModes {
		if !slices.Contains(volume.Spec.AccessModes, mode) {
			return false
		}
	}
	return true
}

// AttributesClass is the name behind a pointer, empty if there is none.
func AttributesClass(name *string) string {
	if name == nil {
		return ""
	}
	return *name
}

// Reaches reports whether a volume can be used on a node.
func Reaches(volume *corev1.PersistentVolume, node *corev1.Node) bool {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return true
	}
	selector, err := nodeaffinity.NewNodeSelector(volume.Spec.NodeAffinity.Required)
	return err == nil && selector.Match(node)
}

// Best returns the volume for a claim: one that is kept for it, or else the
// smallest of the fewest access modes; nil if there is none. node, if set, must
// reach it. A claim that waits for its consumer gets without a node only what is
// kept for it. taken, which may be nil, are names not to choose.
func Best(claim *corev1.PersistentVolumeClaim, all []*corev1.PersistentVolume, node *corev1.Node, waits bool, taken map[string]bool) *corev1.PersistentVolume {
	selector := labels.Everything()
	if claim.Spec.Selector != nil {
		parsed, err := metav1.LabelSelectorAsSelector(claim.Spec.Selector)
		if err != nil {
			return nil
		}
		selector = parsed
	}
	var best *corev1.PersistentVolume
	for _, volume := range all {
		if taken[volume.Name] || !suits(volume, claim) {
			continue
		}
		if reserved := Reserved(volume, claim); reserved || volume.Spec.ClaimRef != nil {
			if reserved && (node == nil || Reaches(volume, node)) {
				return volume
			}
			continue
		}
		if node == nil && waits || volume.Status.Phase != corev1.VolumeAvailable || ClassOf(volume) != Class(claim) ||
			!selector.Matches(labels.Set(volume.Labels)) || node != nil && !Reaches(volume, node) {
			continue
		}
		if best == nil || better(volume, best) {
			best = volume
		}
	}
	return best
}

// suits says what holds for volumes that are kept for a claim too.
func suits(volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) bool {
	size, wanted := volume.Spec.Capacity[corev1.ResourceStorage], claim.Spec.Resources.Requests[corev1.ResourceStorage]
	return size.Cmp(wanted) >= 0 && SameMode(claim, volume) && Offers(volume, claim) && volume.DeletionTimestamp == nil &&
		AttributesClass(claim.Spec.VolumeAttributesClassName) == AttributesClass(volume.Spec.VolumeAttributesClassName)
}

func better(a, b *corev1.PersistentVolume) bool {
	size, other := a.Spec.Capacity[corev1.ResourceStorage], b.Spec.Capacity[corev1.ResourceStorage]
	return cmp.Or(cmp.Compare(len(a.Spec.AccessModes), len(b.Spec.AccessModes)), size.Cmp(other), cmp.Compare(a.Name, b.Name)) < 0
}

// Default is the class of claims that name none: the newest that is marked.
func Default(classes []*storagev1.StorageClass) *storagev1.StorageClass {
	var chosen *storagev1.StorageClass
	for _, class := range classes {
		marked := class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true" ||
			class.Annotations["storageclass.beta.kubernetes.io/is-default-class"] == "true"
		if marked && (chosen == nil || cmp.Or(chosen.CreationTimestamp.Compare(class.CreationTimestamp.Time), cmp.Compare(class.Name, chosen.Name)) < 0) {
			chosen = class
		}
	}
	return chosen
}

// ClaimOf is the name of the claim behind a volume of a pod; empty if there is
// none.
func ClaimOf(pod *corev1.Pod, volume *corev1.Volume) string {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	case volume.Ephemeral != nil:
		return pod.Name + "-" + volume.Name
	}
	return ""
}
