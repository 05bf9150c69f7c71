package custom

import (
	"encoding/json"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"tidepool.dev/tidepool/engine/api/custom/jsonpath"
	"tidepool.dev/tidepool/engine/store"
)

const (
	nameDescription    = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
	createdDescription = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)

// age is what definitions without columns have.
var age = []apiextensionsv1.CustomResourceColumnDefinition{
	{Name: "Age", Type: "date", Description: createdDescription, JSONPath: ".metadata.creationTimestamp"},
}

func columns(declared []apiextensionsv1.CustomResourceColumnDefinition) ([]metav1.TableColumnDefinition, func(store.Object, time.Time) []any) {
	if len(declared) == 0 {
		declared = age
	}
	headers := []metav1.TableColumnDefinition{{Name: "Name", Type: "string", Format: "name", Description: nameDescription}}
	paths := make([]jsonpath.Path, 0, len(declared))
	for i := range declared {
		column := &declared[i]
		path, err := jsonpath.Parse(column.JSONPath)
		if err != nil {
			break // as upstream, which shows the columns up to here
		}
		description := column.Description
		if description == "" {
			description = "Custom resource definition column (in JSONPath format): " + column.JSONPath
		}
		headers = append(headers, metav1.TableColumnDefinition{
			Name: column.Name, Type: column.Type, Format: column.Format, Description: description, Priority: column.Priority,
		})
		paths = append(paths, path)
	}
	return headers, func(obj store.Object, now time.Time) []any {
		o := obj.(*Object)
		content := o.UnstructuredContent()
		cells := []any{o.Name}
		for i, path := range paths {
			var value any
			if found := path.Find(content); len(found) > 0 {
				value = found[0]
			}
			cells = append(cells, cell(headers[i+1].Type, value, now))
		}
		return cells
	}
}

// cell shows a value in a column of a type; nil where it is of another.
func cell(columnType string, value any, now time.Time) any {
	if value == nil {
		return nil
	}
	switch columnType {
	case "string":
		switch value.(type) {
		case map[string]any, []any:
			text, err := json.Marshal(value)
			if err != nil {
				return nil
			}
			return string(text)
		}
		return fmt.Sprint(value)
	case "integer":
		switch number := value.(type) {
		case int64:
			return number
		case float64:
			return int64(number)
		}
	case "number":
		switch number := value.(type) {
		case int64:
			return float64(number)
		case float64:
			return number
		}
	case "boolean":
		if truth, is := value.(bool); is {
			return truth
		}
	case "date":
		text, is := value.(string)
		if !is {
			return nil
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return "<invalid>"
		}
		return duration.HumanDuration(now.Sub(at))
	}
	return nil
}
