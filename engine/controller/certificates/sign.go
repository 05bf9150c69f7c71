package certificates

import (
	"context"
	"fmt"
	"slices"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/controller"
)

const (
	// longest is how long certificates hold that ask for no less
	// (kube-controller-manager --cluster-signing-duration).
	longest  = 365 * 24 * time.Hour
	shortest = 10 * time.Minute
)

// signers are those that a cluster has itself.
var signers = []string{
	certificatesv1.KubeAPIServerClientSignerName, certificatesv1.KubeAPIServerClientKubeletSignerName, certificatesv1.KubeletServingSignerName,
}

// sign signs what has been approved.
func (c Config) sign(ctx context.Context, request controller.Request) (controller.Result, error) {
	r, ok := c.get(request.Name)
	if !ok || len(r.Status.Certificate) > 0 || !slices.Contains(signers, r.Spec.SignerName) ||
		condition(r, certificatesv1.CertificateApproved) == nil || condition(r, certificatesv1.CertificateDenied) != nil ||
		condition(r, certificatesv1.CertificateFailed) != nil {
		return controller.Result{}, nil
	}
	parsed, err := c.Authority.Parse(r.Spec.Request)
	if err != nil {
		return controller.Result{}, fmt.Errorf("unable to parse csr %q: %w", r.Name, err)
	}
	next := r.DeepCopy()
	if err := certificates.Validate(r.Spec.SignerName, parsed, r.Spec.Usages); err != nil {
		next.Status.Conditions = append(next.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
			Type: certificatesv1.CertificateFailed, Status: corev1.ConditionTrue, Reason: "SignerValidationFailure", Message: err.Error(),
		})
	} else if next.Status.Certificate, err = c.Authority.Sign(r.Spec.Request, r.Spec.Usages, lifetime(r.Spec.ExpirationSeconds)); err != nil {
		return controller.Result{}, fmt.Errorf("error auto signing csr: %w", err)
	}
	_, err = c.Client.UpdateStatus(ctx, resource, next)
	return controller.Result{}, err
}

func lifetime(seconds *int32) time.Duration {
	if seconds == nil {
		return longest
	}
	return max(shortest, min(longest, time.Duration(*seconds)*time.Second))
}
