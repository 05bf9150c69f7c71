package validation

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// CustomResourceDefinition checks a new definition. Where all versions say the
// same, errors are about the place that an older form of definitions has for it,
// spec.validation for instance, as in Kubernetes
// (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation).
func CustomResourceDefinition(crd *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	var errs field.ErrorList
	if crd.Name != "" && crd.Name != crd.Spec.Names.Plural+"."+crd.Spec.Group {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), crd.Name, `must be spec.names.plural+"."+spec.group`))
	}
	errs = append(errs, definitionSpec(&crd.Spec, field.NewPath("spec"))...)
	errs = append(errs, storedVersions(crd)...)
	return append(errs, apiApproval(crd, nil)...)
}

// CustomResourceDefinitionUpdate checks a definition that replaces another.
func CustomResourceDefinitionUpdate(crd, old *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	spec := field.NewPath("spec")
	errs := definitionSpec(&crd.Spec, spec)
	for _, condition := range old.Status.Conditions {
		if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
			errs = append(errs, apivalidation.ValidateImmutableField(crd.Spec.Scope, old.Spec.Scope, spec.Child("scope"))...)
			errs = append(errs, apivalidation.ValidateImmutableField(crd.Spec.Names.Kind, old.Spec.Names.Kind, spec.Child("names", "kind"))...)
		}
	}
	errs = append(errs, apivalidation.ValidateImmutableField(crd.Spec.Group, old.Spec.Group, spec.Child("group"))...)
	errs = append(errs, apivalidation.ValidateImmutableField(crd.Spec.Names.Plural, old.Spec.Names.Plural, spec.Child("names", "plural"))...)
	errs = append(errs, CustomResourceDefinitionStatusUpdate(crd, old)...)
	errs = append(errs, storedVersions(crd)...)
	return append(errs, apiApproval(crd, old)...)
}

// CustomResourceDefinitionStatusUpdate checks the status alone.
func CustomResourceDefinitionStatusUpdate(crd, _ *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	return definitionNames(&crd.Status.AcceptedNames, field.NewPath("status", "acceptedNames"))
}

func storedVersions(crd *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	path := field.NewPath("status", "storedVersions")
	stored := crd.Status.StoredVersions
	if len(stored) == 0 {
		return field.ErrorList{field.Invalid(path, stored, "must have at least one stored version")}
	}
	var errs field.ErrorList
	for i, name := range stored {
		if !slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == name }) {
			errs = append(errs, field.Invalid(path.Index(i), name, fmt.Sprintf("missing from spec.versions; %[1]s was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in %[1]s and removes %[1]s from status.storedVersions", name)))
		}
	}
	return errs
}

func definitionSpec(spec *apiextensionsv1.CustomResourceDefinitionSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if spec.Group == "" {
		errs = append(errs, field.Required(path.Child("group"), ""))
	} else if bad := validation.IsDNS1123Subdomain(spec.Group); len(bad) > 0 {
		errs = append(errs, field.Invalid(path.Child("group"), spec.Group, strings.Join(bad, ",")))
	} else if !strings.Contains(spec.Group, ".") {
		errs = append(errs, field.Invalid(path.Child("group"), spec.Group, "should be a domain with at least one dot"))
	}
	errs = append(errs, oneOf(path.Child("scope"), spec.Scope, apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped)...)
	errs = append(errs, definitionVersions(spec, path)...)
	names := path.Child("names")
	for _, required := range []struct{ name, value string }{
		{"plural", spec.Names.Plural}, {"singular", spec.Names.Singular}, {"kind", spec.Names.Kind}, {"listKind", spec.Names.ListKind},
	} {
		if required.value == "" {
			errs = append(errs, field.Required(names.Child(required.name), ""))
		}
	}
	errs = append(errs, definitionNames(&spec.Names, names)...)
	errs = append(errs, conversion(spec.Conversion, path.Child("conversion"))...)
	if spec.PreserveUnknownFields {
		errs = append(errs, field.Invalid(path.Child("preserveUnknownFields"), true, "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"))
	}
	return errs
}

// definitionVersions checks what is of each version, once where all are alike.
func definitionVersions(spec *apiextensionsv1.CustomResourceDefinitionSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var names []string
	storage := 0
	alike := func(part func(*apiextensionsv1.CustomResourceDefinitionVersion) any) bool {
		for i := range spec.Versions {
			if !equality.Semantic.DeepEqual(part(&spec.Versions[i]), part(&spec.Versions[0])) {
				return false
			}
		}
		return true
	}
	sameSchema := alike(func(v *apiextensionsv1.CustomResourceDefinitionVersion) any { return v.Schema })
	sameParts := alike(func(v *apiextensionsv1.CustomResourceDefinitionVersion) any { return v.Subresources })
	sameColumns := alike(func(v *apiextensionsv1.CustomResourceDefinitionVersion) any { return v.AdditionalPrinterColumns })
	sameFields := alike(func(v *apiextensionsv1.CustomResourceDefinitionVersion) any { return v.SelectableFields })
	place := func(same bool, i int, shared, own string) *field.Path {
		if same {
			return path.Child(shared)
		}
		return path.Child("versions").Index(i).Child(own)
	}
	for i := range spec.Versions {
		v := &spec.Versions[i]
		at := path.Child("versions").Index(i)
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			errs = append(errs, field.Required(at.Child("schema", "openAPIV3Schema"), ""))
		}
		if v.Storage {
			storage++
		}
		names = append(names, v.Name)
		if bad := validation.IsDNS1035Label(v.Name); len(bad) > 0 {
			errs = append(errs, field.Invalid(at.Child("name"), v.Name, strings.Join(bad, ",")))
		}
		for _, bad := range deprecationWarning(v) {
			errs = append(errs, field.Invalid(at.Child("deprecationWarning"), v.DeprecationWarning, bad))
		}
		if i == 0 || !sameSchema {
			errs = append(errs, definitionSchema(v, place(sameSchema, i, "validation", "schema"))...)
		}
		if i == 0 || !sameParts {
			errs = append(errs, definitionSubresources(v.Subresources, place(sameParts, i, "subresources", "subresources"))...)
		}
		for j := range v.AdditionalPrinterColumns {
			if i == 0 || !sameColumns {
				errs = append(errs, definitionColumn(&v.AdditionalPrinterColumns[j], place(sameColumns, i, "additionalPrinterColumns", "additionalPrinterColumns").Index(j))...)
			}
		}
		if i == 0 || !sameFields {
			errs = append(errs, selectableFields(v, place(sameFields, i, "selectableFields", "selectableFields"))...)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(spec.Versions) {
		errs = append(errs, field.Invalid(path.Child("versions"), spec.Versions, "must contain unique version names"))
	}
	if storage != 1 {
		errs = append(errs, field.Invalid(path.Child("versions"), spec.Versions, "must have exactly one version marked as storage version"))
	}
	return errs
}

func deprecationWarning(v *apiextensionsv1.CustomResourceDefinitionVersion) []string {
	const longest = 256
	var bad []string
	switch {
	case v.DeprecationWarning == nil:
	case !v.Deprecated:
		bad = append(bad, "can only be set for deprecated versions")
	case len(*v.DeprecationWarning) > longest:
		bad = append(bad, "must be <= 256 characters long")
	case *v.DeprecationWarning == "":
		bad = append(bad, "must not be an empty string")
	}
	return bad
}

func definitionNames(names *apiextensionsv1.CustomResourceDefinitionNames, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	check := func(at *field.Path, value, label, prefix string) {
		if bad := validation.IsDNS1035Label(label); value != "" && len(bad) > 0 {
			errs = append(errs, field.Invalid(at, value, prefix+strings.Join(bad, ",")))
		}
	}
	const mixed = "may have mixed case, but should otherwise match: "
	check(path.Child("plural"), names.Plural, names.Plural, "")
	check(path.Child("singular"), names.Singular, names.Singular, "")
	check(path.Child("kind"), names.Kind, strings.ToLower(names.Kind), mixed)
	check(path.Child("listKind"), names.ListKind, strings.ToLower(names.ListKind), mixed)
	for i, name := range names.ShortNames {
		check(path.Child("shortNames").Index(i), name+" ", name, "")
		if last := len(errs) - 1; last >= 0 && errs[last].BadValue == name+" " {
			errs[last].BadValue = name
		}
	}
	if names.Kind != "" && names.Kind == names.ListKind {
		errs = append(errs, field.Invalid(path.Child("listKind"), names.ListKind, "kind and listKind may not be the same"))
	}
	for i, name := range names.Categories {
		if bad := validation.IsDNS1035Label(name); len(bad) > 0 {
			errs = append(errs, field.Invalid(path.Child("categories").Index(i), name, strings.Join(bad, ",")))
		}
	}
	return errs
}

// webhookConversion is why that strategy is refused.
const webhookConversion = "this API server converts custom resources only by changing their apiVersion (strategy None); conversion by a webhook is not available"

func conversion(c *apiextensionsv1.CustomResourceConversion, path *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	errs := oneOf(path.Child("strategy"), c.Strategy, apiextensionsv1.NoneConverter, apiextensionsv1.WebhookConverter)
	if c.Strategy == apiextensionsv1.WebhookConverter {
		return append(errs, field.Forbidden(path.Child("strategy"), webhookConversion))
	}
	if c.Webhook != nil && c.Webhook.ClientConfig != nil {
		errs = append(errs, field.Forbidden(path.Child("webhookClientConfig"), "should not be set when strategy is not set to Webhook"))
	}
	if c.Webhook != nil && len(c.Webhook.ConversionReviewVersions) > 0 {
		errs = append(errs, field.Forbidden(path.Child("conversionReviewVersions"), "should not be set when strategy is not set to Webhook"))
	}
	return errs
}

// approval says by which document a group of Kubernetes' own may be extended.
const approval = "api-approved.kubernetes.io"

func apiApproval(crd, old *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	group := crd.Spec.Group
	if group != "k8s.io" && group != "kubernetes.io" && !strings.HasSuffix(group, ".k8s.io") && !strings.HasSuffix(group, ".kubernetes.io") {
		return nil
	}
	value := crd.Annotations[approval]
	if old != nil && (value == "") == (old.Annotations[approval] == "") {
		return nil
	}
	path := field.NewPath("metadata", "annotations").Key(approval)
	switch {
	case value == "":
		return field.ErrorList{field.Required(path, "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111")}
	case strings.HasPrefix(value, "unapproved"), strings.HasPrefix(value, "https://"), strings.HasPrefix(value, "http://"):
		return nil
	}
	return field.ErrorList{field.Invalid(path, value, "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111")}
}
