package certificates_test

import (
	"context"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/certificates"
	"tidepool.dev/tidepool/engine/api/identity"
	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/client"
	"tidepool.dev/tidepool/engine/controller"
	loops "tidepool.dev/tidepool/engine/controller/certificates"
	"tidepool.dev/tidepool/engine/controller/controllertest"
)

const resource = "certificatesigningrequests.certificates.k8s.io"

// authority reads requests that are "GROUP NAME" and signs what it reads.
type authority struct{}

func (authority) Parse(request []byte) (certificates.Request, error) {
	block, _ := pem.Decode(request)
	if block == nil {
		return certificates.Request{}, errors.New("no PEM")
	}
	group, name, _ := strings.Cut(string(block.Bytes), " ")
	return certificates.Request{CommonName: name, Organizations: []string{group}}, nil
}

func (authority) Sign(_ []byte, _ []certificatesv1.KeyUsage, lifetime time.Duration) ([]byte, error) {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(lifetime.String())}), nil
}

func (authority) NotAfter([]byte) (time.Time, bool) { return time.Time{}, false }

func nodesOnly(_ context.Context, user identity.User, a authorization.Attributes) (bool, string) {
	return user.Name == "system:node:node-1" && a.Subresource == "selfnodeclient", ""
}

func build(c *controllertest.Cluster) []controller.Controller {
	return loops.New(loops.Config{Cache: c.Cache, Client: c.ClientOf(loops.Name), Clock: c.Clock, Authority: authority{}, Authorize: nodesOnly})
}

func create(c *controllertest.Cluster, name, username, request, signer string, usages ...certificatesv1.KeyUsage) {
	c.Helper()
	_, err := c.Client.Create(c.Context(), resource, &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte(request)}),
			SignerName: signer, Usages: usages, Username: username,
		},
	})
	if err != nil {
		c.Fatal(err)
	}
}

func status(c *controllertest.Cluster, name string) (conditions string, signed bool) {
	r, ok := cache.Get[*certificatesv1.CertificateSigningRequest](c.Cache, resource, "", name)
	if !ok {
		return "gone", false
	}
	var all []string
	for _, condition := range r.Status.Conditions {
		all = append(all, string(condition.Type)+" "+condition.Reason+": "+condition.Message)
	}
	return strings.Join(all, "; "), len(r.Status.Certificate) > 0
}

func decide(c *controllertest.Cluster, name string, decision certificatesv1.RequestConditionType) {
	c.Helper()
	_, err := client.Modify(c.Context(), c.Client, resource, "", name, c.Client.UpdateApproval, func(r *certificatesv1.CertificateSigningRequest) bool {
		r.Status.Conditions = append(r.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: decision, Status: corev1.ConditionTrue, Reason: "Test"})
		return true
	})
	if err != nil {
		c.Fatal(err)
	}
}

const (
	signature = certificatesv1.UsageDigitalSignature
	clients   = certificatesv1.UsageClientAuth
	servers   = certificatesv1.UsageServerAuth
)

func TestRequestsAreAnswered(t *testing.T) {
	controllertest.Run(t, build, func(c *controllertest.Cluster) {
		create(c, "kubelet", "system:node:node-1", "system:nodes system:node:node-1", certificatesv1.KubeAPIServerClientKubeletSignerName, signature, clients)
		create(c, "other-kubelet", "system:node:node-2", "system:nodes system:node:node-2", certificatesv1.KubeAPIServerClientKubeletSignerName, signature, clients)
		create(c, "jane", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, clients)
		create(c, "server", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, servers)
		create(c, "serving", "system:node:node-1", "system:nodes system:node:node-1", certificatesv1.KubeletServingSignerName, signature, servers)
		create(c, "denied", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, clients)
		create(c, "elsewhere", "jane", "team jane", "example.com/signer", clients)
		for _, name := range []string{"jane", "server", "serving", "elsewhere"} {
			decide(c, name, certificatesv1.CertificateApproved)
		}
		decide(c, "denied", certificatesv1.CertificateDenied)
		for name, want := range map[string]struct {
			conditions string
			signed     bool
		}{
			"kubelet":       {"Approved AutoApproved: Auto approving self kubelet client certificate after SubjectAccessReview.", true},
			"other-kubelet": {"", false},
			"jane":          {"Approved Test: ", true},
			"server":        {"Approved Test: ; Failed SignerValidationFailure: invalid usage for client certificate: server auth", false},
			"serving":       {"Approved Test: ; Failed SignerValidationFailure: DNS or IP subjectAltName is required", false},
			"denied":        {"Denied Test: ", false},
			"elsewhere":     {"Approved Test: ", false},
		} {
			c.Until(name+" has been answered", func() bool {
				conditions, signed := status(c, name)
				return conditions == want.conditions && signed == want.signed
			})
		}
	})
}

func TestRequestsGoInTime(t *testing.T) {
	controllertest.Sequential(t, build, func(c *controllertest.Cluster) {
		create(c, "pending", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, clients)
		create(c, "signed", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, clients)
		decide(c, "signed", certificatesv1.CertificateApproved)
		create(c, "denied", "jane", "team jane", certificatesv1.KubeAPIServerClientSignerName, clients)
		decide(c, "denied", certificatesv1.CertificateDenied)
		create(c, "unsigned", "jane", "team jane", "example.com/signer", clients)
		decide(c, "unsigned", certificatesv1.CertificateApproved)
		there := func() string {
			var names []string
			for _, r := range cache.List[*certificatesv1.CertificateSigningRequest](c.Cache, resource, "") {
				names = append(names, r.Name)
			}
			return strings.Join(names, " ")
		}
		c.Pass(59 * time.Minute)
		if got := there(); got != "denied pending signed unsigned" {
			t.Errorf("before an hour there are %s", got)
		}
		c.Pass(2 * time.Minute)
		if got := there(); got != "pending unsigned" {
			t.Errorf("after an hour there are %s", got)
		}
		c.Pass(23 * time.Hour)
		if got := there(); got != "" {
			t.Errorf("after a day there are %s", got)
		}
	})
}
