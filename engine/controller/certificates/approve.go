package certificates

import (
	"context"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/controller"
)

// approve approves a kubelet's client certificate for who may have it.
func (c Config) approve(ctx context.Context, request controller.Request) (controller.Result, error) {
	r, ok := c.get(request.Name)
	if !ok || len(r.Status.Certificate) > 0 || condition(r, certificatesv1.CertificateApproved) != nil || condition(r, certificatesv1.CertificateDenied) != nil {
		return controller.Result{}, nil
	}
	parsed, err := c.Authority.Parse(r.Spec.Request)
	if err != nil {
		return controller.Result{}, err
	}
	const signer = certificatesv1.KubeAPIServerClientKubeletSignerName
	if r.Spec.SignerName != signer || certificates.Validate(signer, parsed, r.Spec.Usages) != nil {
		return controller.Result{}, nil
	}
	switch {
	case r.Spec.Username == parsed.CommonName && c.mayHave(ctx, r, "selfnodeclient"):
		err = c.approved(ctx, r, "Auto approving self kubelet client certificate after SubjectAccessReview.")
	case c.mayHave(ctx, r, "nodeclient"):
		err = c.approved(ctx, r, "Auto approving kubelet client certificate after SubjectAccessReview.")
	}
	return controller.Result{}, err
}

func (c Config) mayHave(ctx context.Context, r *certificatesv1.CertificateSigningRequest, what string) bool {
	user := identity.User{Name: r.Spec.Username, UID: r.Spec.UID, Groups: r.Spec.Groups, Extra: map[string][]string{}}
	for key, values := range r.Spec.Extra {
		user.Extra[key] = values
	}
	a := authorization.Attributes{Verb: "create", Subresource: what}
	a.Group, a.Version, a.Resource = certificatesv1.GroupName, "*", "certificatesigningrequests"
	allowed, _ := c.Authorize(ctx, user, a)
	return allowed
}

func (c Config) approved(ctx context.Context, r *certificatesv1.CertificateSigningRequest, message string) error {
	next := r.DeepCopy()
	next.Status.Conditions = append(next.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "AutoApproved", Message: message,
	})
	_, err := c.Client.UpdateApproval(ctx, resource, next)
	return err
}
