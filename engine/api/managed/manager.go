package managed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// identity tells managers apart: what an entry of managedFields says besides the
// fields and the time.
type identity struct {
	manager, apiVersion, subresource string
	operation                        metav1.ManagedFieldsOperationType
}

func identityOf(entry *metav1.ManagedFieldsEntry) identity {
	return identity{entry.Manager, entry.APIVersion, entry.Subresource, entry.Operation}
}

// name is the identity as structured-merge-diff takes it, in the form that
// decides in which order Kubernetes lists managers. An applier is the same
// whichever version it applies.
func (id identity) name() string {
	entry := metav1.ManagedFieldsEntry{Manager: id.manager, Operation: id.operation, APIVersion: id.apiVersion, Subresource: id.subresource}
	if id.operation == metav1.ManagedFieldsOperationApply {
		entry.APIVersion = ""
	}
	text, _ := json.Marshal(entry) // strings can't fail
	return string(text)
}

// entries are managedFields in the form of structured-merge-diff: managers by
// the names of their identities.
type entries struct {
	fields fieldpath.ManagedFields
	times  map[string]*metav1.Time
}

func newEntries() entries {
	return entries{fieldpath.ManagedFields{}, map[string]*metav1.Time{}}
}

// decode reads managedFields (DecodeManagedFields upstream).
func decode(list []metav1.ManagedFieldsEntry) (entries, error) {
	decoded := newEntries()
	for i := range list {
		entry := &list[i]
		switch {
		case entry.Operation != metav1.ManagedFieldsOperationApply && entry.Operation != metav1.ManagedFieldsOperationUpdate:
			return entries{}, errors.New("operation must be `Apply` or `Update`")
		case entry.APIVersion == "":
			return entries{}, errors.New("apiVersion must not be empty")
		case entry.FieldsType == "":
			return entries{}, fmt.Errorf("missing fieldsType in managed fields entry %d", i)
		case entry.FieldsType != fieldsType:
			return entries{}, fmt.Errorf("invalid fieldsType %q in managed fields entry %d", entry.FieldsType, i)
		}
		set, err := parseSet(entry.FieldsV1)
		if err != nil {
			return entries{}, fmt.Errorf("error decoding versioned set from %v: error decoding set: %w", *entry, err)
		}
		name := identityOf(entry).name()
		decoded.fields[name] = fieldpath.NewVersionedSet(set, fieldpath.APIVersion(entry.APIVersion), entry.Operation == metav1.ManagedFieldsOperationApply)
		decoded.times[name] = entry.Time
	}
	return decoded, nil
}

const fieldsType = "FieldsV1"

func parseSet(fields *metav1.FieldsV1) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	raw := fields.GetRawBytes()
	if len(raw) == 0 {
		return set, nil
	}
	return set, set.FromJSON(bytes.NewReader(raw))
}

// encode writes managedFields, in Kubernetes' order.
func (e entries) encode() ([]metav1.ManagedFieldsEntry, error) {
	var list []metav1.ManagedFieldsEntry
	for name, versioned := range e.fields {
		var entry metav1.ManagedFieldsEntry
		if err := json.Unmarshal([]byte(name), &entry); err != nil {
			return nil, err
		}
		entry.APIVersion = string(versioned.APIVersion())
		raw, err := versioned.Set().ToJSON()
		if err != nil {
			return nil, err
		}
		entry.FieldsType = fieldsType
		entry.FieldsV1 = &metav1.FieldsV1{}
		entry.FieldsV1.SetRawBytes(raw)
		entry.Time = e.times[name]
		list = append(list, entry)
	}
	order(list)
	return list, nil
}

// order is that of sortEncodedManagedFields upstream.
func order(list []metav1.ManagedFieldsEntry) {
	slices.SortFunc(list, func(a, b metav1.ManagedFieldsEntry) int {
		return cmp.Or(
			cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(seconds(a.Time), seconds(b.Time)),
			cmp.Compare(a.Manager, b.Manager),
			cmp.Compare(a.APIVersion, b.APIVersion),
			cmp.Compare(a.Subresource, b.Subresource))
	})
}

func seconds(t *metav1.Time) int64 {
	if t == nil {
		return 0
	}
	return t.Unix()
}

const (
	// mostUpdaters is how many updating managers an object remembers; the
	// oldest become ancientChanges.
	mostUpdaters   = 10
	ancientChanges = "ancient-changes"
)

// forget merges the oldest updating managers, version by version, while there
// are too many (capUpdateManagers upstream).
func (e entries) forget() {
	var updaters []string
	for name, versioned := range e.fields {
		if !versioned.Applied() {
			updaters = append(updaters, name)
		}
	}
	slices.SortFunc(updaters, func(a, b string) int {
		return cmp.Or(cmp.Compare(seconds(e.times[a]), seconds(e.times[b])), cmp.Compare(a, b))
	})
	first := map[string]string{} // by version, the oldest manager, until another joins it
	for i, left := 0, len(updaters); i < len(updaters) && left > mostUpdaters; i++ {
		name := updaters[i]
		versioned := e.fields[name]
		version := string(versioned.APIVersion())
		bucket := identity{manager: ancientChanges, operation: metav1.ManagedFieldsOperationUpdate, apiVersion: version}.name()
		oldest, seen := first[version]
		if !seen {
			first[version] = name
			continue
		}
		if _, ok := e.fields[bucket]; !ok {
			e.fields[bucket] = e.fields[oldest]
			delete(e.fields, oldest)
		}
		e.fields[bucket] = fieldpath.NewVersionedSet(versioned.Set().Union(e.fields[bucket].Set()), versioned.APIVersion(), false)
		e.times[bucket] = e.times[name]
		delete(e.fields, name)
		left--
	}
}

// SameButTimes says that two lists are the same but for the times.
func SameButTimes(a, b []metav1.ManagedFieldsEntry) bool {
	if len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] {
		return true
	}
	return slices.EqualFunc(a, b, func(x, y metav1.ManagedFieldsEntry) bool {
		return identityOf(&x) == identityOf(&y) && x.FieldsType == y.FieldsType &&
			(x.FieldsV1 == y.FieldsV1 || bytes.Equal(x.FieldsV1.GetRawBytes(), y.FieldsV1.GetRawBytes()))
	})
}

// isReset says that a client gives up what is known of managers: it sends an
// empty list, or one empty entry.
func isReset(list []metav1.ManagedFieldsEntry) bool {
	if len(list) == 0 {
		return list != nil
	}
	return len(list) == 1 && reflect.ValueOf(list[0]).IsZero()
}

// longestManager is how many bytes of a user agent's name count
// (validation.FieldManagerMaxLength upstream).
const longestManager = 128

// ManagerOf names the manager of a write: what the client calls it or else the
// beginning of its user agent, as k8s.io/apiserver/pkg/endpoints/handlers does.
func ManagerOf(fieldManager, userAgent string) string {
	if fieldManager != "" {
		return strings.ToValidUTF8(fieldManager, "\uFFFD") // as it will be in JSON
	}
	name, _, _ := strings.Cut(userAgent, "/")
	var printable strings.Builder
	for _, r := range name {
		if printable.Len()+len(string(r)) > longestManager {
			break
		}
		if unicode.IsPrint(r) {
			printable.WriteRune(r)
		}
	}
	return printable.String()
}
