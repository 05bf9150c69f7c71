package kinds

import (
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// clusterTrustBundle: who may write those of a signer, engine/api/certificates
// decides.
func clusterTrustBundle(certificates validation.Certificates) *kind.Kind {
	type bundle = certificatesv1.ClusterTrustBundle
	return &kind.Kind{
		GroupVersionKind: certificatesv1.SchemeGroupVersion.WithKind("ClusterTrustBundle"),
		Plural:           "clustertrustbundles",
		Singular:         "clustertrustbundle",
		New:              func() store.Object { return &bundle{} },
		NewList:          func() runtime.Object { return &certificatesv1.ClusterTrustBundleList{} },
		ValidateName:     func(string, bool) []string { return nil }, // it follows from the signer
		Validate:         validate(certificates.ClusterTrustBundle),
		ValidateUpdate:   validateUpdate(certificates.ClusterTrustBundleUpdate),
		Fields: selectable(func(b *bundle) fields.Set {
			return fields.Set{"spec.signerName": b.Spec.SignerName}
		}),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("SignerName", "signerName indicates the associated signer, if any.\n\nIn order to create or update a ClusterTrustBundle that sets signerName, you must have the following cluster-scoped permission: group=certificates.k8s.io resource=signers resourceName=<the signer name> verb=attest.\n\nIf signerName is not empty, then the ClusterTrustBundle object must be named with the signer name as a prefix (translating slashes to colons). For example, for the signer name `example.com/foo`, valid ClusterTrustBundle object names include `example.com:foo:abc` and `example.com:foo:v1`.\n\nIf signerName is empty, then the ClusterTrustBundle object's name must not have such a prefix.\n\nList/watch requests for ClusterTrustBundles can filter on this field using a `spec.signerName=NAME` field selector."),
		},
		Row: row(func(b *bundle, _ time.Time) []any { return []any{b.Name, orNone(b.Spec.SignerName)} }),
	}
}
