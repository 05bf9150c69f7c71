package validation

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The fields of a pod that its containers may learn, in the order in which
// errors list them.
var (
	environmentFields = []string{
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
	}
	volumeFields   = []string{"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"}
	downwardFields = []string{
		"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
		"spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName",
		"status.phase", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
	}
	resourceFields = []string{
		"limits.cpu", "limits.ephemeral-storage", "limits.memory",
		"requests.cpu", "requests.ephemeral-storage", "requests.memory",
	}
)

func environment(parent *field.Path, c *corev1.Container) field.ErrorList {
	var errs field.ErrorList
	for i := range c.Env {
		variable := &c.Env[i]
		if variable.Name == "" {
			errs = append(errs, field.Required(parent.Child("env").Index(i).Child("name"), ""))
		} else if messages := environmentName(variable.Name); messages != nil {
			errs = append(errs, invalid(parent.Child("env").Index(i).Child("name"), variable.Name, messages)...)
		}
		if variable.ValueFrom != nil {
			errs = append(errs, environmentSource(parent.Child("env").Index(i).Child("valueFrom"), variable)...)
		}
	}
	for i := range c.EnvFrom {
		errs = append(errs, environmentFrom(parent.Child("envFrom"), i, &c.EnvFrom[i])...)
	}
	return errs
}

// environmentName lets through what is plainly valid: letters, digits and
// underscores.
func environmentName(name string) []string {
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && c != '_' {
			return validation.IsRelaxedEnvVarName(name)
		}
	}
	return nil
}

func environmentSource(at *field.Path, variable *corev1.EnvVar) field.ErrorList {
	var errs field.ErrorList
	from := variable.ValueFrom
	count := 0
	if from.FieldRef != nil {
		count++
		errs = append(errs, fieldSelector(at.Child("fieldRef"), from.FieldRef, environmentFields)...)
	}
	if from.ResourceFieldRef != nil {
		count++
		errs = append(errs, resourceFieldSelector(at.Child("resourceFieldRef"), from.ResourceFieldRef, false)...)
	}
	if ref := from.ConfigMapKeyRef; ref != nil {
		count++
		errs = append(errs, keySelector(at.Child("configMapKeyRef"), ref.Name, ref.Key)...)
	}
	if ref := from.SecretKeyRef; ref != nil {
		count++
		errs = append(errs, keySelector(at.Child("secretKeyRef"), ref.Name, ref.Key)...)
	}
	if from.FileKeyRef != nil {
		count++
		errs = append(errs, fileKeySelector(at.Child("fileKeyRef"), from.FileKeyRef)...)
	}
	switch {
	case count == 0:
		errs = append(errs, field.Invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
	case variable.Value != "":
		errs = append(errs, field.Invalid(at, "", "may not be specified when `value` is not empty"))
	case count > 1:
		errs = append(errs, field.Invalid(at, "", "may not have more than one field specified at a time"))
	}
	return errs
}

func environmentFrom(list *field.Path, index int, from *corev1.EnvFromSource) field.ErrorList {
	var errs field.ErrorList
	at := list.Index(index)
	if from.Prefix != "" {
		errs = append(errs, invalid(at.Child("prefix"), from.Prefix, environmentName(from.Prefix))...)
	}
	named := func(source, name string) {
		if name == "" {
			errs = append(errs, field.Required(at.Child(source, "name"), ""))
			return
		}
		errs = append(errs, invalid(at.Child(source, "name"), name, objectName(name, true))...)
	}
	if from.ConfigMapRef != nil {
		named("configMapRef", from.ConfigMapRef.Name)
	}
	if from.SecretRef != nil {
		named("secretRef", from.SecretRef.Name)
	}
	switch {
	case from.ConfigMapRef == nil && from.SecretRef == nil:
		errs = append(errs, field.Invalid(list, "", "must specify one of: `configMapRef` or `secretRef`"))
	case from.ConfigMapRef != nil && from.SecretRef != nil:
		errs = append(errs, field.Invalid(list, "", "may not have more than one field specified at a time"))
	}
	return errs
}

func fieldSelector(at *field.Path, ref *corev1.ObjectFieldSelector, supported []string) field.ErrorList {
	if ref.APIVersion == "" {
		return field.ErrorList{field.Required(at.Child("apiVersion"), "")}
	}
	if ref.FieldPath == "" {
		return field.ErrorList{field.Required(at.Child("fieldPath"), "")}
	}
	fieldPath, key, subscripted := subscript(ref.FieldPath)
	if message := unknownField(ref.APIVersion, ref.FieldPath, fieldPath, subscripted); message != "" {
		return field.ErrorList{field.Invalid(at.Child("fieldPath"), ref.FieldPath, "error converting fieldPath: "+message)}
	}
	if subscripted {
		if fieldPath == "metadata.annotations" {
			key = strings.ToLower(key)
		}
		return invalid(at, key, qualifiedName(key))
	}
	if fieldPath == "spec.host" { // the old name
		fieldPath = "spec.nodeName"
	}
	if !slices.Contains(supported, fieldPath) {
		return field.ErrorList{field.NotSupported(at.Child("fieldPath"), fieldPath, supported)}
	}
	return nil
}

// subscript splits "metadata.labels['app']" into path and key.
func subscript(fieldPath string) (path, key string, found bool) {
	path, rest, found := strings.Cut(fieldPath, "['")
	if !found || path == "" || !strings.HasSuffix(rest, "']") {
		return fieldPath, "", false
	}
	return path, strings.TrimSuffix(rest, "']"), true
}

func unknownField(apiVersion, whole, path string, subscripted bool) string {
	switch {
	case apiVersion != "v1":
		return "unsupported pod version: " + apiVersion
	case subscripted:
		if path != "metadata.annotations" && path != "metadata.labels" {
			return fmt.Sprintf("field label does not support subscript: %s", whole)
		}
		return ""
	case path != "spec.host" && !slices.Contains(downwardFields, path):
		return "field label not supported: " + whole
	}
	return ""
}

func resourceFieldSelector(at *field.Path, ref *corev1.ResourceFieldSelector, inVolume bool) field.ErrorList {
	var errs field.ErrorList
	hugePages := strings.HasPrefix(ref.Resource, "requests.hugepages-") || strings.HasPrefix(ref.Resource, "limits.hugepages-")
	switch {
	case inVolume && ref.ContainerName == "":
		errs = append(errs, field.Required(at.Child("containerName"), ""))
	case ref.Resource == "":
		errs = append(errs, field.Required(at.Child("resource"), ""))
	case !hugePages && !slices.Contains(resourceFields, ref.Resource):
		errs = append(errs, field.NotSupported(at.Child("resource"), ref.Resource, resourceFields))
	}
	if ref.Divisor.IsZero() {
		return errs
	}
	divisors, kind := []string{"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"}, ""
	switch _, name, _ := strings.Cut(ref.Resource, "."); {
	case name == "cpu":
		if divisor := ref.Divisor.String(); divisor != "1m" && divisor != "1" {
			errs = append(errs, field.Invalid(at.Child("divisor"), ref.Resource, "only divisor's values 1m and 1 are supported with the cpu resource"))
		}
		return errs
	case name == "memory":
		kind = "memory"
	case name == "ephemeral-storage":
		kind = "local ephemeral storage"
	case hugePages:
		kind = "hugepages"
	}
	if kind != "" && !slices.Contains(divisors, ref.Divisor.String()) {
		errs = append(errs, field.Invalid(at.Child("divisor"), ref.Resource,
			fmt.Sprintf("only divisor's values %s are supported with the %s resource", strings.Join(divisors, ", "), kind)))
	}
	return errs
}

func keySelector(at *field.Path, name, key string) field.ErrorList {
	errs := invalid(at.Child("name"), name, objectName(name, false))
	if key == "" {
		return append(errs, field.Required(at.Child("key"), ""))
	}
	return append(errs, invalid(at.Child("key"), key, validation.IsConfigMapKey(key))...)
}

func fileKeySelector(at *field.Path, ref *corev1.FileKeySelector) field.ErrorList {
	var errs field.ErrorList
	if ref.Key == "" {
		errs = append(errs, field.Required(at.Child("key"), ""))
	} else {
		errs = append(errs, invalid(at.Child("key"), ref.Key, environmentName(ref.Key))...)
	}
	if ref.VolumeName == "" {
		errs = append(errs, field.Required(at.Child("volumeName"), ""))
	} else {
		errs = append(errs, invalid(at.Child("volumeName"), ref.VolumeName, dnsLabel(ref.VolumeName))...)
	}
	if ref.Path == "" {
		return append(errs, field.Required(at.Child("path"), ""))
	}
	return append(errs, noBacksteps(at.Child("path"), ref.Path)...)
}
