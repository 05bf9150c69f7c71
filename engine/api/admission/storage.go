package admission

import (
	"cmp"
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

const (
	claimProtection  = "kubernetes.io/pvc-protection"
	volumeProtection = "kubernetes.io/pv-protection"

	isDefaultStorageClass     = "storageclass.kubernetes.io/is-default-class"
	isDefaultStorageClassBeta = "storageclass.beta.kubernetes.io/is-default-class"
	ingressClassAnnotation    = "kubernetes.io/ingress.class"
)

// defaultStorageClass gives claims that name no class the default one.
func defaultStorageClass(look lookup) Plugin {
	return Plugin{Name: "DefaultStorageClass", Mutate: func(ctx context.Context, r *Request) error {
		claim, ok := r.Object.(*corev1.PersistentVolumeClaim)
		if !ok || r.Operation != Create || r.Subresource != "" || claim.Spec.StorageClassName != nil {
			return nil
		}
		if _, named := claim.Annotations[corev1.BetaStorageClassAnnotation]; named {
			return nil
		}
		classes, err := list[*storagev1.StorageClass](ctx, look, "storageclasses.storage.k8s.io", "")
		if err != nil {
			return r.Forbidden(err)
		}
		if class, ok := newest(classes, func(class *storagev1.StorageClass) bool {
			return class.Annotations[isDefaultStorageClass] == "true" || class.Annotations[isDefaultStorageClassBeta] == "true"
		}); ok {
			claim.Spec.StorageClassName = &class.Name
		}
		return nil
	}}
}

// defaultIngressClass gives Ingresses that name no class the default one.
func defaultIngressClass(look lookup) Plugin {
	return Plugin{Name: "DefaultIngressClass", Mutate: func(ctx context.Context, r *Request) error {
		ingress, ok := r.Object.(*networkingv1.Ingress)
		if !ok || r.Operation != Create || r.Subresource != "" || ingress.Spec.IngressClassName != nil {
			return nil
		}
		if _, named := ingress.Annotations[ingressClassAnnotation]; named {
			return nil
		}
		classes, err := list[*networkingv1.IngressClass](ctx, look, "ingressclasses.networking.k8s.io", "")
		if err != nil {
			return r.Forbidden(err)
		}
		if class, ok := newest(classes, func(class *networkingv1.IngressClass) bool {
			return class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
		}); ok {
			ingress.Spec.IngressClassName = &class.Name
		}
		return nil
	}}
}

// newest returns the latest created of the objects that are wanted, the first by
// name of equals.
func newest[T store.Object](objects []T, wanted func(T) bool) (T, bool) {
	var none T
	objects = slices.DeleteFunc(objects, func(obj T) bool { return !wanted(obj) })
	if len(objects) == 0 {
		return none, false
	}
	return slices.MinFunc(objects, func(a, b T) int {
		x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
		return cmp.Or(y.Compare(x.Time), cmp.Compare(a.GetName(), b.GetName()))
	}), true
}

// storageObjectInUseProtection keeps volumes and claims, when deleted, until
// nothing uses them any more.
func storageObjectInUseProtection() Plugin {
	return Plugin{Name: "StorageObjectInUseProtection", Mutate: func(_ context.Context, r *Request) error {
		if r.Operation != Create || r.Subresource != "" {
			return nil
		}
		switch obj := r.Object.(type) {
		case *corev1.PersistentVolume:
			protect(&obj.ObjectMeta, volumeProtection)
		case *corev1.PersistentVolumeClaim:
			protect(&obj.ObjectMeta, claimProtection)
		}
		return nil
	}}
}

func protect(meta *metav1.ObjectMeta, finalizer string) {
	if !slices.Contains(meta.Finalizers, finalizer) {
		meta.Finalizers = append(slices.Clip(meta.Finalizers), finalizer)
	}
}

// persistentVolumeClaimResize lets claims grow only where their class can make
// volumes larger.
func persistentVolumeClaimResize(look lookup) Plugin {
	return Plugin{Name: "PersistentVolumeClaimResize", Validate: func(ctx context.Context, r *Request) error {
		claim, ok := r.Object.(*corev1.PersistentVolumeClaim)
		if !ok || r.Operation != Update || r.Subresource != "" {
			return nil
		}
		old := r.Old.(*corev1.PersistentVolumeClaim)
		size, was := claim.Spec.Resources.Requests[corev1.ResourceStorage], old.Spec.Resources.Requests[corev1.ResourceStorage]
		if size.Cmp(was) <= 0 {
			return nil
		}
		if old.Status.Phase != corev1.ClaimBound {
			//lint:ignore ST1005 as Kubernetes words it
			return r.Forbidden(errors.New("Only bound persistent volume claims can be expanded"))
		}
		if name := storageClassOf(claim); name != "" && name == storageClassOf(old) {
			class, ok, err := get[*storagev1.StorageClass](ctx, look, "storageclasses.storage.k8s.io", "", name)
			if err != nil {
				return err
			}
			if ok && class.AllowVolumeExpansion != nil && *class.AllowVolumeExpansion {
				return nil
			}
		}
		return r.Forbidden(errors.New("only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"))
	}}
}

// storageClassOf is the class that a claim names, by the old annotation or the
// field.
func storageClassOf(claim *corev1.PersistentVolumeClaim) string {
	if name, ok := claim.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return name
	}
	if claim.Spec.StorageClassName != nil {
		return *claim.Spec.StorageClassName
	}
	return ""
}
