package kinds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/custom/schema"
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// customResourceDefinition declares kinds; engine/api/custom serves them
// (k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition).
func customResourceDefinition() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"),
		Plural:           "customresourcedefinitions",
		Singular:         "customresourcedefinition",
		ShortNames:       []string{"crd", "crds"},
		Categories:       []string{"api-extensions"},
		New:              func() store.Object { return &apiextensionsv1.CustomResourceDefinition{} },
		NewList:          func() runtime.Object { return &apiextensionsv1.CustomResourceDefinitionList{} },
		Default:          on(defaultDefinition),
		PrepareForCreate: on(func(crd *apiextensionsv1.CustomResourceDefinition) {
			crd.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
			crd.Generation = 1
			rememberStorage(crd)
		}),
		PrepareForUpdate: onUpdate(func(crd, old *apiextensionsv1.CustomResourceDefinition) {
			crd.Status = *old.Status.DeepCopy()
			if !equality.Semantic.DeepEqual(crd.Spec, old.Spec) {
				crd.Generation = old.Generation + 1
			}
			rememberStorage(crd)
		}),
		PrepareForStatusUpdate: onUpdate(func(crd, old *apiextensionsv1.CustomResourceDefinition) { crd.Spec = old.Spec }),
		Validate:               validate(validation.CustomResourceDefinition),
		ValidateUpdate:         validateUpdate(validation.CustomResourceDefinitionUpdate),
		ValidateStatusUpdate:   validateUpdate(validation.CustomResourceDefinitionStatusUpdate),
		Warnings:               warnings(definitionWarnings),
		DeleteFinalizers:       []string{apiextensionsv1.CustomResourceCleanupFinalizer},
		PrepareForDelete: func(obj store.Object, now metav1.Time) {
			announceCleanUp(obj.(*apiextensionsv1.CustomResourceDefinition), now)
		},
		Columns: []metav1.TableColumnDefinition{nameColumn(), createdColumn()},
		Row: row(func(crd *apiextensionsv1.CustomResourceDefinition, _ time.Time) []any {
			return []any{crd.Name, createdAt(crd.CreationTimestamp)}
		}),
	}
}

// announceCleanUp says that the instances go with their definition
// (registry/customresourcedefinition/etcd.go upstream).
func announceCleanUp(crd *apiextensionsv1.CustomResourceDefinition, now metav1.Time) {
	crd.Status.Conditions = append(crd.Status.Conditions, apiextensionsv1.CustomResourceDefinitionCondition{
		Type:               apiextensionsv1.Terminating,
		Status:             apiextensionsv1.ConditionTrue,
		LastTransitionTime: now,
		Reason:             "InstanceDeletionPending",
		Message:            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
	})
}

func rememberStorage(crd *apiextensionsv1.CustomResourceDefinition) {
	for i := range crd.Spec.Versions {
		v := &crd.Spec.Versions[i]
		if v.Storage {
			if !slices.Contains(crd.Status.StoredVersions, v.Name) {
				crd.Status.StoredVersions = append(crd.Status.StoredVersions, v.Name)
			}
			return
		}
	}
}

func defaultDefinition(crd *apiextensionsv1.CustomResourceDefinition) {
	names := &crd.Spec.Names
	if names.Singular == "" {
		names.Singular = strings.ToLower(names.Kind)
	}
	if names.ListKind == "" && names.Kind != "" {
		names.ListKind = names.Kind + "List"
	}
	if crd.Spec.Conversion == nil {
		crd.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter}
	}
	if hook := crd.Spec.Conversion.Webhook; hook != nil && hook.ClientConfig != nil && hook.ClientConfig.Service != nil && hook.ClientConfig.Service.Port == nil {
		hook.ClientConfig.Service.Port = new(int32(443))
	}
}

func definitionWarnings(crd, old *apiextensionsv1.CustomResourceDefinition) []string {
	all := warningsOf(crd)
	if old == nil {
		return all
	}
	before := warningsOf(old)
	return slices.DeleteFunc(all, func(text string) bool { return slices.Contains(before, text) })
}

func warningsOf(crd *apiextensionsv1.CustomResourceDefinition) []string {
	var formats, sets []string
	for i := range crd.Spec.Versions {
		v := &crd.Spec.Versions[i]
		if v.Schema == nil {
			continue
		}
		for _, format := range schema.UnknownFormats(v.Schema.OpenAPIV3Schema) {
			formats = append(formats, fmt.Sprintf("unrecognized format %q", format))
		}
		schema.Walk(v.Schema.OpenAPIV3Schema, func(p *apiextensionsv1.JSONSchemaProps) {
			if p.XListType == nil || *p.XListType != "set" || p.Items == nil || p.Items.Schema == nil {
				return
			}
			if t := p.Items.Schema.Type; t == "object" || t == "array" {
				sets = append(sets, fmt.Sprintf("x-kubernetes-list-type: set for items of type %q is not supported by server-side apply or CEL validation rules", t))
			}
		})
	}
	slices.Sort(sets)
	return append(formats, slices.Compact(sets)...)
}
