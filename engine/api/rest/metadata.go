package rest

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/names"
	"tidepool.dev/tidepool/engine/store"
)

// Metadata is checked on every write, and is nearly always right. The checks
// here only say whether it is surely right, at a fraction of the cost of those
// that can say what is wrong; whoever gets a false has to ask the others.

func metadataOf(obj store.Object) *metav1.ObjectMeta {
	meta, _ := obj.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
	return meta
}

// surelyValid is about the metadata of a new object.
func surelyValid(k *kind.Kind, meta *metav1.ObjectMeta) bool {
	if k.ValidateName != nil && len(k.ValidateName(meta.Name, false)) > 0 || k.ValidateName == nil && !isSubdomain(meta.Name) {
		return false
	}
	if k.Namespaced != isDNSLabel(meta.Namespace) || !k.Namespaced && meta.Namespace != "" {
		return false
	}
	return isPrefix(meta.GenerateName, meta.Name) && meta.Generation >= 0 && len(meta.Finalizers) == 0 && areManagers(meta.ManagedFields) &&
		areLabels(meta.Labels) && areAnnotations(meta.Annotations) && areOwners(meta.OwnerReferences)
}

// surelyValidUpdate is about metadata that replaces that of a stored object.
func surelyValidUpdate(meta, old *metav1.ObjectMeta) bool {
	return meta.Name == old.Name && meta.Namespace == old.Namespace && meta.UID == old.UID &&
		meta.ResourceVersion != "" && meta.Generation >= old.Generation &&
		meta.CreationTimestamp.Equal(&old.CreationTimestamp) && meta.DeletionTimestamp.Equal(old.DeletionTimestamp) &&
		samePointee(meta.DeletionGracePeriodSeconds, old.DeletionGracePeriodSeconds) &&
		areManagers(meta.ManagedFields) && slices.Equal(meta.Finalizers, old.Finalizers) &&
		areLabels(meta.Labels) && areAnnotations(meta.Annotations) && areOwners(meta.OwnerReferences)
}

// isPrefix says whether a valid name has been generated from a valid prefix.
func isPrefix(prefix, name string) bool {
	return len(prefix) < names.LongestPrefix && strings.HasPrefix(name, prefix) && !strings.HasSuffix(prefix, ".")
}

func samePointee[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func isLowerAlphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool { return isLowerAlphanumeric(c) || 'A' <= c && c <= 'Z' }

// isDNSLabel is RFC 1123's label.
func isDNSLabel(text string) bool {
	if text == "" || len(text) > 63 || !isLowerAlphanumeric(text[0]) || !isLowerAlphanumeric(text[len(text)-1]) {
		return false
	}
	for i := range len(text) {
		if !isLowerAlphanumeric(text[i]) && text[i] != '-' {
			return false
		}
	}
	return true
}

// isSubdomain is RFC 1123's subdomain whose labels are of any length.
func isSubdomain(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	before := byte('.')
	for i := range len(text) {
		c := text[i]
		switch {
		case isLowerAlphanumeric(c):
		case c == '-' && before != '.':
		case c == '.' && before != '.' && before != '-':
		default:
			return false
		}
		before = c
	}
	return isLowerAlphanumeric(before)
}

// isWord is a label's value or the name in its key.
func isWord(text string) bool {
	if text == "" || len(text) > 63 || !isAlphanumeric(text[0]) || !isAlphanumeric(text[len(text)-1]) {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func isKey(text string) bool {
	prefix, name, prefixed := strings.Cut(text, "/")
	if !prefixed {
		return isWord(text)
	}
	return isSubdomain(prefix) && isWord(name)
}

func areLabels(labels map[string]string) bool {
	for key, value := range labels {
		if !isKey(key) || value != "" && !isWord(value) {
			return false
		}
	}
	return true
}

func areAnnotations(annotations map[string]string) bool {
	const surelyLittle = 64 << 10
	size := 0
	for key, value := range annotations {
		if size += len(key) + len(value); size > surelyLittle || !isKey(key) {
			return false
		}
	}
	return true
}

func areOwners(owners []metav1.OwnerReference) bool {
	controllers := 0
	for i := range owners {
		owner := &owners[i]
		if owner.Kind == "" || owner.Kind == "Event" || owner.Name == "" || owner.UID == "" || !isAPIVersion(owner.APIVersion) {
			return false
		}
		if owner.Controller != nil && *owner.Controller {
			controllers++
		}
	}
	return controllers <= 1
}

func areManagers(entries []metav1.ManagedFieldsEntry) bool {
	const longestName, longestSubresource = 128, 256
	for i := range entries {
		entry := &entries[i]
		if entry.Operation != metav1.ManagedFieldsOperationUpdate && entry.Operation != metav1.ManagedFieldsOperationApply ||
			entry.FieldsType != "FieldsV1" || len(entry.Manager) > longestName || len(entry.Subresource) > longestSubresource ||
			!isPrintable(entry.Manager) {
			return false
		}
	}
	return true
}

func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isAPIVersion is VERSION or GROUP/VERSION.
func isAPIVersion(text string) bool {
	group, version, named := strings.Cut(text, "/")
	if !named {
		return text != ""
	}
	return group != "" && version != "" && !strings.Contains(version, "/")
}
