package managed

import (
	"bytes"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"tidepool.dev/tidepool/engine/store"
)

// Most writes are like others: the pods of a ReplicaSet are created with the
// same fields, and then run through the same statuses. So what a write does to
// the managers of an object is worked out once for each change of the same shape
// (which fields, not which values) and each set of managers before it.

// owner is one manager with its fields, without the time.
type owner struct {
	identity
	fields *metav1.FieldsV1 // of one owner only
	set    *fieldpath.Set   // nil until it is needed
}

type ownerKey struct {
	identity
	raw string
}

// mostOwners is how many managers an object may have for its moves to be
// remembered.
const mostOwners = 4

type moveKey struct {
	change *change
	writer identity
	had    [mostOwners]*owner
}

// move is what becomes of the managers: each with the place from which it keeps
// its time, or justNow.
type move struct {
	owners []*owner
	from   []int
	// varies is the owner whose fields have the placeholder, or none.
	varies int
}

const none = -1

const justNow = -1

// move returns the managers after a change. It returns false where only
// structured-merge-diff can tell.
func (t *Tracker) move(f *form, live, next store.Object, had []metav1.ManagedFieldsEntry, w Write) ([]metav1.ManagedFieldsEntry, bool) {
	if f.goType == nil || len(had) > mostOwners {
		return nil, false
	}
	k := moveKey{writer: w.identity(f, metav1.ManagedFieldsOperationUpdate)}
	for i := range had {
		if had[i].APIVersion != f.apiVersion {
			return nil, false
		}
		if k.had[i] = t.owner(&had[i]); k.had[i] == nil {
			return nil, false
		}
	}
	var before any = f.empty
	if live != nil {
		before = f.shown(live)
	}
	after := f.shown(next)
	var script []byte
	var key string
	ok := live != nil
	if ok {
		script, key, ok = compareVarying(t.script, f.goType, before, after)
		t.script = script
	}
	if !ok || key != "" && mention(had, script) {
		key = ""
		script, ok = compare(t.script, f.goType, before, after)
		t.script = script
	}
	if !ok {
		return nil, false
	}
	if len(script) == 0 {
		return had, true
	}
	if k.change = t.change(f, w.Subresource, script); k.change == nil {
		return nil, false
	}
	m, known := t.moves.get(k)
	if !known {
		m = t.work(k, len(had))
		t.moves.put(k, m)
	}
	if m == nil {
		return nil, false
	}
	if key != "" && m.varies == none {
		return nil, false
	}
	return t.entries(m, had, key), true
}

// mention says that managers have fields of items with keys of the name that the
// placeholder's has: where these stand among others depends on the keys.
func mention(had []metav1.ManagedFieldsEntry, script []byte) bool {
	before, _, _ := bytes.Cut(script, []byte(`"`+placeholder))
	opening := before[bytes.LastIndexByte(before, '{'):] // {"ip":
	text := bytes.ReplaceAll(opening, []byte(`"`), []byte(`\"`))
	return slices.ContainsFunc(had, func(entry metav1.ManagedFieldsEntry) bool {
		return bytes.Contains(entry.FieldsV1.GetRawBytes(), text)
	})
}

// entries are the managers after a move of those that had been; key is what the
// placeholder stands for.
func (t *Tracker) entries(m *move, had []metav1.ManagedFieldsEntry, key string) []metav1.ManagedFieldsEntry {
	if len(m.owners) == 0 {
		return nil
	}
	list := make([]metav1.ManagedFieldsEntry, len(m.owners))
	for i, o := range m.owners {
		if i == m.varies && key != "" {
			raw := strings.Replace(o.fields.GetRawString(), placeholder, key, 1)
			o = &owner{identity: o.identity, fields: metav1.NewFieldsV1(raw)}
			t.known.put(o.fields, o)
		}
		list[i] = metav1.ManagedFieldsEntry{
			Manager: o.manager, Operation: o.operation, APIVersion: o.apiVersion, Subresource: o.subresource,
			FieldsType: fieldsType, FieldsV1: o.fields,
		}
		if m.from[i] == justNow {
			list[i].Time = t.now()
		} else {
			list[i].Time = had[m.from[i]].Time
		}
	}
	order(list)
	return list
}

// work finds out what becomes of the managers, as merge.Updater.Update does; nil
// where there are too many.
func (t *Tracker) work(k moveKey, count int) *move {
	m := &move{varies: none}
	c := k.change
	add := func(id identity, set *fieldpath.Set, was *owner, from int) {
		switch {
		case set.Empty():
			return
		case was == nil || !set.Equals(was.set):
			was = t.intern(id, set)
		}
		m.owners, m.from = append(m.owners, was), append(m.from, from)
	}
	writes := !c.owned.Empty()
	for i, o := range k.had[:count] {
		if o.set == nil {
			set, err := parseSet(o.fields)
			if err != nil {
				return nil
			}
			o.set = set
		}
		set := o.set.Difference(c.touched).Difference(c.removed)
		if o.identity == k.writer && writes {
			add(o.identity, set.Union(c.owned), o, justNow)
			writes = false
			continue
		}
		add(o.identity, set, o, i)
	}
	if writes {
		add(k.writer, c.owned, nil, justNow)
	}
	if len(m.owners) > mostOwners {
		return nil
	}
	for i, o := range m.owners {
		switch count := bytes.Count(o.fields.GetRawBytes(), []byte(placeholder)); {
		case count == 1 && m.varies == none:
			m.varies = i
		case count > 0:
			return nil
		}
	}
	return m
}

// owner is that of an entry; nil if the entry can't be read.
func (t *Tracker) owner(entry *metav1.ManagedFieldsEntry) *owner {
	if o, ok := t.known.get(entry.FieldsV1); ok && o.identity == identityOf(entry) {
		return o
	}
	if entry.FieldsV1 == nil || entry.FieldsType != fieldsType {
		return nil
	}
	k := ownerKey{identityOf(entry), string(entry.FieldsV1.GetRawBytes())}
	o, ok := t.owners.get(k)
	if !ok {
		set, err := parseSet(entry.FieldsV1)
		if err != nil {
			return nil
		}
		o = &owner{identity: k.identity, fields: entry.FieldsV1, set: set}
		t.owners.put(k, o)
	}
	t.known.put(o.fields, o)
	return o
}

func (t *Tracker) intern(id identity, set *fieldpath.Set) *owner {
	raw, _ := set.ToJSON() // into memory, of elements that have been read
	k := ownerKey{id, string(raw)}
	if o, ok := t.owners.get(k); ok {
		return o
	}
	o := &owner{identity: id, fields: metav1.NewFieldsV1(k.raw), set: set}
	t.owners.put(k, o)
	t.known.put(o.fields, o)
	return o
}

// change is what a comparison means for managers; nil if it can't be read.
func (t *Tracker) change(f *form, subresource string, script []byte) *change {
	t.key = append(append(append(append(t.key[:0], f.apiVersion...), 0), f.Kind...), 0)
	t.key = append(append(append(t.key, subresource...), 0), script...)
	if c, ok := get(&t.changes, t.key); ok {
		return c
	}
	touched, removed, err := sets(f.goType, script)
	if err != nil {
		return nil
	}
	if reset := f.reset(subresource); reset != nil {
		touched, removed = reset.Filter(touched), reset.Filter(removed)
	}
	c := &change{touched: touched, removed: removed, owned: touched.Difference(unmanaged)}
	t.changes.put(string(t.key), c)
	return c
}

// unmanaged fields are nobody's (NewStripMetaManager upstream).
var unmanaged = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "creationTimestamp"),
	fieldpath.MakePathOrDie("metadata", "selfLink"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "clusterName"),
	fieldpath.MakePathOrDie("metadata", "generation"),
	fieldpath.MakePathOrDie("metadata", "managedFields"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)
