package validation

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The rules below are those of k8s.io/kubernetes/pkg/apis/certificates/validation,
// but for the request and the certificate themselves: who signs reads them.

var (
	requestConditionsPath = field.NewPath("status", "conditions")
	certificatePath       = field.NewPath("status", "certificate")
)

// decided are the conditions that end a request; they are True or absent.
var decided = []certificatesv1.RequestConditionType{
	certificatesv1.CertificateApproved, certificatesv1.CertificateDenied, certificatesv1.CertificateFailed,
}

// usages are those that certificates may have, in the order of errors.
var usages = []certificatesv1.KeyUsage{
	certificatesv1.UsageAny, certificatesv1.UsageCRLSign, certificatesv1.UsageCertSign, certificatesv1.UsageClientAuth,
	certificatesv1.UsageCodeSigning, certificatesv1.UsageContentCommitment, certificatesv1.UsageDataEncipherment,
	certificatesv1.UsageDecipherOnly, certificatesv1.UsageDigitalSignature, certificatesv1.UsageEmailProtection,
	certificatesv1.UsageEncipherOnly, certificatesv1.UsageIPsecEndSystem, certificatesv1.UsageIPsecTunnel,
	certificatesv1.UsageIPsecUser, certificatesv1.UsageKeyAgreement, certificatesv1.UsageKeyEncipherment,
	certificatesv1.UsageMicrosoftSGC, certificatesv1.UsageNetscapeSGC, certificatesv1.UsageOCSPSigning,
	certificatesv1.UsageSMIME, certificatesv1.UsageServerAuth, certificatesv1.UsageSigning, certificatesv1.UsageTimestamping,
}

const legacySigner = "kubernetes.io/legacy-unknown"

// CertificateSigningRequest checks a new request.
func CertificateSigningRequest(r *certificatesv1.CertificateSigningRequest) field.ErrorList {
	return certificateRequest(r, nil)
}

// CertificateSigningRequestUpdate checks a change to a request's metadata.
func CertificateSigningRequestUpdate(r, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	return certificateUpdate(r, old, false, false)
}

// CertificateSigningRequestStatusUpdate checks what a signer writes.
func CertificateSigningRequestStatusUpdate(r, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	return certificateUpdate(r, old, true, false)
}

// CertificateSigningRequestApproval checks what an approver writes.
func CertificateSigningRequestApproval(r, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	return certificateUpdate(r, old, false, true)
}

func certificateRequest(r, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	var errs field.ErrorList
	at := specPath.Child("usages")
	if len(r.Spec.Usages) == 0 {
		errs = append(errs, field.Required(at, ""))
	}
	for i, usage := range r.Spec.Usages {
		if !slices.Contains(usages, usage) {
			errs = append(errs, field.NotSupported(at.Index(i), usage, usages))
		}
	}
	for i, usage := range r.Spec.Usages {
		if slices.Contains(r.Spec.Usages[:i], usage) {
			errs = append(errs, field.Duplicate(at.Index(i), usage))
		}
	}
	if r.Spec.SignerName == legacySigner && (old == nil || old.Spec.SignerName != legacySigner) {
		errs = append(errs, field.Invalid(specPath.Child("signerName"), r.Spec.SignerName, "the legacy signerName is not allowed via this API version"))
	} else {
		errs = append(errs, signerName(specPath.Child("signerName"), r.Spec.SignerName)...)
	}
	if seconds := r.Spec.ExpirationSeconds; seconds != nil && *seconds < 600 {
		errs = append(errs, field.Invalid(specPath.Child("expirationSeconds"), *seconds, "may not specify a duration less than 600 seconds (10 minutes)"))
	}
	errs = append(errs, requestConditions(r.Status.Conditions)...)
	if err := certificateBlocks(r.Status.Certificate); err != nil {
		errs = append(errs, field.Invalid(certificatePath, "<certificate data>", err.Error()))
	}
	return errs
}

func requestConditions(conditions []certificatesv1.CertificateSigningRequestCondition) field.ErrorList {
	var errs field.ErrorList
	seen := map[certificatesv1.RequestConditionType]bool{}
	for i, c := range conditions {
		at := requestConditionsPath.Index(i)
		if c.Type == "" {
			errs = append(errs, field.Required(at.Child("type"), ""))
		}
		allowed := []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown}
		if slices.Contains(decided, c.Type) {
			allowed = []corev1.ConditionStatus{corev1.ConditionTrue}
		}
		switch {
		case c.Status == "":
			errs = append(errs, field.Required(at.Child("status"), ""))
		case !slices.Contains(allowed, c.Status):
			errs = append(errs, field.NotSupported(at.Child("status"), c.Status, allowed))
		}
		if c.Type == certificatesv1.CertificateApproved && seen[certificatesv1.CertificateDenied] ||
			c.Type == certificatesv1.CertificateDenied && seen[certificatesv1.CertificateApproved] {
			errs = append(errs, field.Invalid(requestConditionsPath, c.Type, "Approved and Denied conditions are mutually exclusive"))
		}
		if seen[c.Type] {
			errs = append(errs, field.Duplicate(at.Child("type"), c.Type))
		}
		seen[c.Type] = true
	}
	return errs
}

// certificateBlocks checks that data is certificates in PEM form, if anything.
func certificateBlocks(data []byte) error {
	for rest, first := data, true; len(data) > 0; first = false {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if first {
				return fmt.Errorf("must contain at least one CERTIFICATE PEM block")
			}
			return nil
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("only CERTIFICATE PEM blocks are allowed, found %q", block.Type)
		}
		if len(block.Headers) != 0 {
			return fmt.Errorf("no PEM block headers are permitted")
		}
	}
	return nil
}

func certificateUpdate(r, old *certificatesv1.CertificateSigningRequest, signing, approving bool) field.ErrorList {
	errs := certificateRequest(r, old)
	of := func(r *certificatesv1.CertificateSigningRequest, t certificatesv1.RequestConditionType) (found []certificatesv1.CertificateSigningRequestCondition) {
		for _, c := range r.Status.Conditions {
			if c.Type == t {
				found = append(found, c)
			}
		}
		return found
	}
	for _, t := range decided {
		if len(of(r, t)) < len(of(old, t)) {
			errs = append(errs, field.Forbidden(requestConditionsPath, fmt.Sprintf("updates may not remove a condition of type %q", t)))
		}
	}
	for _, t := range decided[:2] {
		now, before := of(r, t), of(old, t)
		switch {
		case approving || len(now) < len(before):
		case len(now) > len(before):
			errs = append(errs, field.Forbidden(requestConditionsPath, fmt.Sprintf("updates may not add a condition of type %q", t)))
		case !equality.Semantic.DeepEqual(before, now):
			errs = append(errs, field.Forbidden(requestConditionsPath, fmt.Sprintf("updates may not modify a condition of type %q", t)))
		}
	}
	if !bytes.Equal(r.Status.Certificate, old.Status.Certificate) {
		switch {
		case !signing:
			errs = append(errs, field.Forbidden(certificatePath, "updates may not set certificate content"))
		case len(old.Status.Certificate) > 0:
			errs = append(errs, field.Forbidden(certificatePath, "updates may not modify existing certificate content"))
		}
	}
	return errs
}

// signerName checks the name of who signs certificates
// (k8s.io/kubernetes/pkg/apis/core/validation.ValidateSignerName).
func signerName(at *field.Path, name string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	domain, path, ok := strings.Cut(name, "/")
	if !ok || strings.Contains(path, "/") {
		return field.ErrorList{field.Invalid(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")}
	}
	var errs field.ErrorList
	if len(domain) > validation.DNS1123SubdomainMaxLength {
		errs = append(errs, field.TooLong(at, "", validation.DNS1123SubdomainMaxLength))
	}
	errs = append(errs, signerLabels(at, domain, validation.IsDNS1123Label)...)
	if !strings.Contains(domain, ".") {
		errs = append(errs, field.Invalid(at, domain, "should be a domain with at least two segments separated by dots"))
	}
	errs = append(errs, signerLabels(at, path, validation.IsDNS1123Subdomain)...)
	const most = validation.DNS1123SubdomainMaxLength + 1 + validation.DNS1123SubdomainMaxLength + validation.DNS1123LabelMaxLength + 1
	if len(name) > most {
		errs = append(errs, field.TooLong(at, "", most))
	}
	return errs
}

// signerLabels tells what is wrong with the first bad one of labels joined by
// dots.
func signerLabels(at *field.Path, text string, check func(string) []string) field.ErrorList {
	for label := range strings.SplitSeq(text, ".") {
		var errs field.ErrorList
		for _, problem := range check(label) {
			errs = append(errs, field.Invalid(at, text, fmt.Sprintf("validating label %q: %s", label, problem)))
		}
		if len(errs) > 0 {
			return errs
		}
	}
	return nil
}
