package audit

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/engine/api/identity"
)

// entry is a request on its way into the log.
type entry struct {
	log      *Log
	id       types.UID
	received time.Time
	request  *http.Request
	trail    endpoints.Trail
}

// begun notes that the answer begins, if it will take as long as its client
// wants, or if it is to somebody unknown: upstream logs no end of these.
func (e *entry) begun(code int) {
	if e.trail.Lasting || e.unauthenticated(code) {
		e.write(auditv1.StageResponseStarted, e.status(code))
	}
}

func (e *entry) complete(code int) {
	if e.unauthenticated(code) {
		return
	}
	if code == 0 {
		code = http.StatusOK // as net/http answers for a handler that says nothing
	}
	e.write(auditv1.StageResponseComplete, e.status(code))
}

func (e *entry) panicked(reason any) {
	e.write(auditv1.StagePanic, &metav1.Status{
		Code: http.StatusInternalServerError, Status: metav1.StatusFailure, Reason: metav1.StatusReasonInternalError,
		Message: fmt.Sprintf("APIServer panic'd: %v", reason),
	})
}

func (e *entry) unauthenticated(code int) bool {
	return code == http.StatusUnauthorized && e.trail.User.Name == ""
}

// status is what is logged of an answer. Of one that is a Status it is all that
// has a limited length.
func (e *entry) status(code int) *metav1.Status {
	status := &metav1.Status{Code: int32(code)}
	switch answer := e.trail.Status; {
	case e.unauthenticated(code):
		status.Message = attempted(e.request)
	case answer != nil:
		status.Status, status.Message, status.Reason, status.Details = answer.Status, answer.Message, answer.Reason, answer.Details
	}
	return status
}

// attempted tells how a client that nobody knows has tried to be known
// (k8s.io/apiserver/pkg/endpoints/filters/authn_audit.go).
func attempted(r *http.Request) string {
	var methods []string
	if _, _, ok := r.BasicAuth(); ok {
		methods = append(methods, "basic")
	}
	if scheme, _, ok := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " "); ok && strings.EqualFold(scheme, "bearer") {
		methods = append(methods, "bearer")
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		methods = append(methods, "x509")
	}
	if len(methods) == 0 {
		return "Authentication failed, no credentials provided"
	}
	return "Authentication failed, attempted: " + strings.Join(methods, ", ")
}

func (e *entry) write(stage auditv1.Stage, status *metav1.Status) {
	event := &auditv1.Event{
		TypeMeta:                 metav1.TypeMeta{Kind: "Event", APIVersion: auditv1.SchemeGroupVersion.String()},
		Level:                    auditv1.LevelMetadata,
		AuditID:                  e.id,
		Stage:                    stage,
		RequestURI:               e.request.URL.RequestURI(),
		Verb:                     e.trail.Wants.Verb,
		User:                     userInfo(e.trail.User),
		UserAgent:                userAgent(e.request),
		ObjectRef:                e.object(),
		ResponseStatus:           status,
		RequestReceivedTimestamp: metav1.NewMicroTime(e.received),
		StageTimestamp:           metav1.NewMicroTime(e.log.now()),
	}
	for _, ip := range utilnet.SourceIPs(e.request) {
		event.SourceIPs = append(event.SourceIPs, ip.String())
	}
	if e.trail.As != nil {
		as := userInfo(*e.trail.As)
		event.ImpersonatedUser = &as
		if e.trail.Constraint != "" {
			event.AuthenticationMetadata = &auditv1.AuthenticationMetadata{ImpersonationConstraint: e.trail.Constraint}
		}
	}
	if e.trail.Decided {
		decision := "forbid"
		if e.trail.Allowed {
			decision = "allow"
		}
		event.Annotations = map[string]string{
			"authorization.k8s.io/decision": decision,
			"authorization.k8s.io/reason":   e.trail.Reason,
		}
	}
	e.log.write(event)
}

// object is what the request is about; nil for what is no resource.
func (e *entry) object() *auditv1.ObjectReference {
	wants := e.trail.Wants
	if wants.Resource == "" {
		return nil
	}
	ref := &auditv1.ObjectReference{
		Resource: wants.Resource, Subresource: wants.Subresource, Namespace: wants.Namespace, Name: wants.Name,
		APIGroup: wants.Group, APIVersion: wants.Version, UID: e.trail.UID, ResourceVersion: e.trail.ResourceVersion,
	}
	if ref.Namespace == "" {
		ref.Namespace = e.trail.Namespace
	}
	if ref.Name == "" {
		ref.Name = e.trail.Name
	}
	return ref
}

func userInfo(user identity.User) authenticationv1.UserInfo {
	info := authenticationv1.UserInfo{Username: user.Name, UID: user.UID, Groups: user.Groups}
	for key, values := range user.Extra {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[key] = values
	}
	return info
}

// maxUserAgent is how many bytes of a client's name are logged.
const maxUserAgent = 1024

func userAgent(r *http.Request) string {
	name := r.UserAgent()
	if len(name) > maxUserAgent {
		name = name[:maxUserAgent] + "...TRUNCATED"
	}
	return name
}
