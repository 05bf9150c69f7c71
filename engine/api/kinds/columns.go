package kinds

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// Descriptions of columns are those of the fields that they show. They are
// spelled out here because the generated documentation of k8s.io/api is too
// large for the browser; a test compares the two.
const (
	nameDescription         = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
	ageDescription          = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
	containerColumnContents = "Names of each container in the template."
	imageColumnContents     = "Images referenced by each container in the template."
)

func nameColumn() metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: "Name", Type: "string", Format: "name", Description: nameDescription}
}

func ageColumn() metav1.TableColumnDefinition {
	return textColumn("Age", ageDescription)
}

// createdColumn is what kinds without a table of their own have beside the name.
func createdColumn() metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: "Created At", Type: "date", Description: ageDescription}
}

// createdAt fills a createdColumn.
func createdAt(t metav1.Time) string { return t.UTC().Format(time.RFC3339) }

func textColumn(name, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "string", Description: description}
}

func integerColumn(name, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "integer", Description: description}
}

func booleanColumn(name, description string) metav1.TableColumnDefinition {
	return metav1.TableColumnDefinition{Name: name, Type: "boolean", Description: description}
}

// wide marks columns that are shown only on demand (kubectl's -o wide).
func wide(columns ...metav1.TableColumnDefinition) []metav1.TableColumnDefinition {
	for i := range columns {
		columns[i].Priority = 1
	}
	return columns
}

// templateColumns are the wide columns of workloads.
func templateColumns(selectorDescription string) []metav1.TableColumnDefinition {
	return wide(
		textColumn("Containers", containerColumnContents),
		textColumn("Images", imageColumnContents),
		textColumn("Selector", selectorDescription),
	)
}

// containerNames and containerImages fill the first two templateColumns.
func containerNames(containers []corev1.Container) string {
	names := make([]string, len(containers))
	for i := range containers {
		names[i] = containers[i].Name
	}
	return strings.Join(names, ",")
}

func containerImages(containers []corev1.Container) string {
	images := make([]string, len(containers))
	for i := range containers {
		images[i] = containers[i].Image
	}
	return strings.Join(images, ",")
}

// age is the time since t as tables show it.
func age(t metav1.Time, now time.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(now.Sub(t.Time))
}

// orNone stands for an empty cell where Kubernetes wants one filled.
func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}
