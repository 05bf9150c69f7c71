package custom

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"

	"tidepool.dev/tidepool/engine/api/cel"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/store"
)

// Kind is the kind that a definition declares, nil while it is not established.
// evaluator may be nil.
func Kind(crd *apiextensionsv1.CustomResourceDefinition, evaluator cel.Evaluator) *kind.Kind {
	if !IsTrue(crd, apiextensionsv1.Established) {
		return nil
	}
	names := crd.Status.AcceptedNames
	versions := map[string]*version{}
	var stored *version
	for i := range crd.Spec.Versions {
		v := newVersion(&crd.Spec.Versions[i], evaluator)
		versions[v.Name] = v
		if v.Storage {
			stored = v
		}
	}
	if stored == nil {
		return nil // validation knows that there is one
	}
	gvk := func(v *version) k8sschema.GroupVersionKind {
		return k8sschema.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: names.Kind}
	}
	base := kind.Kind{
		GroupVersionKind: gvk(stored),
		Plural:           names.Plural,
		Singular:         names.Singular,
		ShortNames:       names.ShortNames,
		Categories:       names.Categories,
		Namespaced:       crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
		Unserved:         !stored.Served,
		New:              newObject(stored),
		NewList:          func() runtime.Object { return &metav1.PartialObjectMetadataList{} },
		Merging:          mergingOf(versions),
	}
	if crd.DeletionTimestamp != nil || IsTrue(crd, apiextensionsv1.Terminating) {
		base.Closing = "create not allowed while custom resource definition is terminating"
	}
	var others []kind.Version
	for i := range crd.Spec.Versions {
		v := versions[crd.Spec.Versions[i].Name]
		if v == stored || !v.Served {
			continue
		}
		others = append(others, kind.Version{
			GroupVersionKind: gvk(v),
			New:              newObject(v),
			Show:             convert(gvk(v), v),
			Read:             convert(gvk(stored), stored),
		})
	}
	for i := range others {
		v := versions[others[i].Version]
		as := base
		as.Deprecated = v.warning(names.Kind, gvk(v).GroupVersion().String())
		as.Versions = others
		v.describe(&as)
		others[i].As = &as
	}
	base.Versions = others
	base.Deprecated = stored.warning(names.Kind, gvk(stored).GroupVersion().String())
	stored.describe(&base)
	return &base
}

func newObject(v *version) func() store.Object {
	return func() store.Object { return &Object{rules: v.schema} }
}

// convert changes nothing but the apiVersion (conversion strategy None), and
// what the other version's schema prunes and fills in.
func convert(to k8sschema.GroupVersionKind, v *version) func(store.Object) store.Object {
	return func(obj store.Object) store.Object {
		next := obj.DeepCopyObject().(*Object)
		next.rules = nil
		next.SetGroupVersionKind(to)
		v.schema.Prune(next.Content)
		if next.Content != nil {
			v.schema.Default(next.Content)
		}
		return next
	}
}

// IsTrue reports whether a definition has a condition.
func IsTrue(crd *apiextensionsv1.CustomResourceDefinition, condition apiextensionsv1.CustomResourceDefinitionConditionType) bool {
	c := Condition(crd, condition)
	return c != nil && c.Status == apiextensionsv1.ConditionTrue
}

// Condition is one of a definition's conditions, nil if it has it not.
func Condition(crd *apiextensionsv1.CustomResourceDefinition, condition apiextensionsv1.CustomResourceDefinitionConditionType) *apiextensionsv1.CustomResourceDefinitionCondition {
	for i := range crd.Status.Conditions {
		if crd.Status.Conditions[i].Type == condition {
			return &crd.Status.Conditions[i]
		}
	}
	return nil
}
