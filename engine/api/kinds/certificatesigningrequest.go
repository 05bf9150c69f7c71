package kinds

import (
	"slices"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

// certificateSigningRequest is completed by engine/api/certificates, which
// knows who asks and reads the request itself.
func certificateSigningRequest() *kind.Kind {
	return &kind.Kind{
		GroupVersionKind: certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"),
		Plural:           "certificatesigningrequests",
		Singular:         "certificatesigningrequest",
		ShortNames:       []string{"csr"},
		New:              func() store.Object { return &certificatesv1.CertificateSigningRequest{} },
		NewList:          func() runtime.Object { return &certificatesv1.CertificateSigningRequestList{} },
		PrepareForCreate: on(func(r *certificatesv1.CertificateSigningRequest) {
			r.Status = certificatesv1.CertificateSigningRequestStatus{}
		}),
		PrepareForUpdate: onUpdate(func(r, old *certificatesv1.CertificateSigningRequest) {
			r.Spec, r.Status = old.Spec, old.Status
		}),
		PrepareForStatusUpdate: onUpdate(func(r, old *certificatesv1.CertificateSigningRequest) {
			r.Spec = old.Spec
			keepConditions(r, old, certificatesv1.CertificateApproved)
			keepConditions(r, old, certificatesv1.CertificateDenied)
		}),
		PrepareForApproval: onUpdate(func(r, old *certificatesv1.CertificateSigningRequest) {
			conditions := r.Status.Conditions
			r.Spec, r.Status = old.Spec, old.Status
			r.Status.Conditions = conditions
		}),
		Stamp:                    stampConditions,
		Resets:                   map[string][][]string{"": {{"spec"}, {"status"}}, "status": {{"spec"}}, "approval": {{"spec"}, {"status", "certificate"}}},
		ValidateName:             func(string, bool) []string { return nil },
		Validate:                 validate(validation.CertificateSigningRequest),
		ValidateUpdate:           validateUpdate(validation.CertificateSigningRequestUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.CertificateSigningRequestStatusUpdate),
		ValidateApproval:         validateUpdate(validation.CertificateSigningRequestApproval),
		AllowUnconditionalUpdate: true,
		Fields: selectable(func(r *certificatesv1.CertificateSigningRequest) fields.Set {
			return fields.Set{"spec.signerName": r.Spec.SignerName}
		}),
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			ageColumn(),
			textColumn("SignerName", "Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it will be defaulted:\n 1. If it's a kubelet client certificate, it is assigned\n    \"kubernetes.io/kube-apiserver-client-kubelet\".\n 2. If it's a kubelet serving certificate, it is assigned\n    \"kubernetes.io/kubelet-serving\".\n 3. Otherwise, it is assigned \"kubernetes.io/legacy-unknown\".\nDistribution of trust for signers happens out of band. You can select on this field using `spec.signerName`."),
			textColumn("Requestor", "Base64-encoded PKCS#10 CSR data"),
			textColumn("RequestedDuration", "expirationSeconds is the requested duration of validity of the issued certificate. The certificate signer may issue a certificate with a different validity duration so a client must check the delta between the notBefore and and notAfter fields in the issued certificate to determine the actual duration.\n\nThe v1.22+ in-tree implementations of the well-known Kubernetes signers will honor this field as long as the requested duration is not greater than the maximum duration they will honor per the --cluster-signing-duration CLI flag to the Kubernetes controller manager.\n\nCertificate signers may not honor this field for various reasons:\n\n  1. Old signer that is unaware of the field (such as the in-tree\n     implementations prior to v1.22)\n  2. Signer whose configured maximum is shorter than the requested duration\n  3. Signer whose configured minimum is longer than the requested duration\n\nThe minimum valid value for expirationSeconds is 600, i.e. 10 minutes."),
			textColumn("Condition", "Conditions applied to the request, such as approval or denial."),
		},
		Row: row(func(r *certificatesv1.CertificateSigningRequest, now time.Time) []any {
			requested := "<none>"
			if seconds := r.Spec.ExpirationSeconds; seconds != nil {
				requested = duration.HumanDuration(time.Duration(*seconds) * time.Second)
			}
			return []any{r.Name, age(r.CreationTimestamp, now), orNone(r.Spec.SignerName), r.Spec.Username, requested, requestStatus(r)}
		}),
	}
}

// conditionsOf are the places of a type's conditions.
func conditionsOf(r *certificatesv1.CertificateSigningRequest, of certificatesv1.RequestConditionType) []int {
	var at []int
	for i := range r.Status.Conditions {
		if r.Status.Conditions[i].Type == of {
			at = append(at, i)
		}
	}
	return at
}

// keepConditions puts the old conditions of a type back, unless their number
// has changed, which validation refuses.
func keepConditions(r, old *certificatesv1.CertificateSigningRequest, of certificatesv1.RequestConditionType) {
	now, before := conditionsOf(r, of), conditionsOf(old, of)
	if len(now) != len(before) {
		return
	}
	r.Status.Conditions = slices.Clone(r.Status.Conditions)
	for i, at := range now {
		r.Status.Conditions[at] = old.Status.Conditions[before[i]]
	}
}

// stampConditions sets the times of conditions that have none.
func stampConditions(obj, old store.Object, now metav1.Time) {
	was, ok := old.(*certificatesv1.CertificateSigningRequest)
	if !ok {
		return
	}
	r := obj.(*certificatesv1.CertificateSigningRequest)
	r.Status.Conditions = slices.Clone(r.Status.Conditions)
	for i := range r.Status.Conditions {
		c := &r.Status.Conditions[i]
		if c.LastUpdateTime.IsZero() {
			c.LastUpdateTime = now
		}
		if !c.LastTransitionTime.IsZero() {
			continue
		}
		c.LastTransitionTime = now
		for _, other := range was.Status.Conditions {
			if other.Type == c.Type && other.Status == c.Status && !other.LastTransitionTime.IsZero() {
				c.LastTransitionTime = other.LastTransitionTime
				break
			}
		}
	}
}

func requestStatus(r *certificatesv1.CertificateSigningRequest) string {
	status := "Pending"
	switch {
	case len(conditionsOf(r, certificatesv1.CertificateDenied)) > 0:
		status = "Denied"
	case len(conditionsOf(r, certificatesv1.CertificateApproved)) > 0:
		status = "Approved"
	}
	if len(conditionsOf(r, certificatesv1.CertificateFailed)) > 0 {
		status += ",Failed"
	}
	if len(r.Status.Certificate) > 0 {
		status += ",Issued"
	}
	return status
}
