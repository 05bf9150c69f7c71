// Package helm has Helm, as the library that its command line is made of, manage
// a release: version 3, which computes three-way merge patches, and version 4,
// which applies server-side and waits by watching.
package helm

// chart is what is installed, release under what name.
const (
	chart   = "testdata/shop"
	release = "shop"
)

// values are those of a chart that differ from its own.
type values = map[string]any

// helm is what its command line does, for one namespace; each waits until what
// it wants is ready.
type helm interface {
	install(values) (notes string, err error)
	upgrade(values) error
	rollback(revision int) error
	test() error
	uninstall() error
	// list tells the releases, history the revisions of one, each as
	// "revision status".
	list() ([]string, error)
	history() ([]string, error)
}
