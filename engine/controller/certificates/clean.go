package certificates

import (
	"context"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/controller"
)

const (
	// keepDecided and keepPending are how long requests stay after they have
	// been signed, denied or have failed, and while nobody looks after them.
	keepDecided = time.Hour
	keepPending = 24 * time.Hour
)

// clean removes a request when its time is over.
func (c Config) clean(ctx context.Context, request controller.Request) (controller.Result, error) {
	r, ok := c.get(request.Name)
	if !ok {
		return controller.Result{}, nil
	}
	end, ends := c.end(r)
	if !ends {
		return controller.Result{}, nil
	}
	if left := end.Sub(c.Clock.Now()); left > 0 {
		return controller.Result{RequeueAfter: left}, nil
	}
	err := c.Client.Delete(ctx, resource, "", r.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &r.UID}})
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		err = nil
	}
	return controller.Result{}, err
}

// end is when a request goes, the first of what ends it.
func (c Config) end(r *certificatesv1.CertificateSigningRequest) (end time.Time, ends bool) {
	at := func(t time.Time) {
		if !ends || t.Before(end) {
			end, ends = t, true
		}
	}
	if len(r.Status.Conditions) == 0 {
		at(r.CreationTimestamp.Add(keepPending))
	}
	for _, decided := range []certificatesv1.RequestConditionType{certificatesv1.CertificateDenied, certificatesv1.CertificateFailed} {
		if c := condition(r, decided); c != nil {
			at(c.LastUpdateTime.Add(keepDecided))
		}
	}
	approved := condition(r, certificatesv1.CertificateApproved)
	switch {
	case approved == nil:
	case len(r.Status.Certificate) == 0:
		at(approved.LastUpdateTime.Add(keepPending))
	default:
		at(approved.LastUpdateTime.Add(keepDecided))
		if c.Authority != nil {
			if notAfter, ok := c.Authority.NotAfter(r.Status.Certificate); ok {
				at(notAfter)
			}
		}
	}
	return end, ends
}
