package serviceaccounttoken_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/cache"
	"tidepool.dev/tidepool/engine/controller"
	"tidepool.dev/tidepool/engine/controller/controllertest"
	"tidepool.dev/tidepool/engine/controller/serviceaccounttoken"
)

// issuer makes tokens that say whose they are.
type issuer struct{}

func (issuer) Legacy(account *corev1.ServiceAccount, secret *corev1.Secret) (string, error) {
	return "token of " + account.Name + " in " + secret.Name, nil
}

func TestTokensAreFilled(t *testing.T) {
	controllertest.Run(t, func(c *controllertest.Cluster) []controller.Controller {
		return []controller.Controller{serviceaccounttoken.New(c.Cache, c.ClientOf(serviceaccounttoken.Name), issuer{}, []byte("certificates"))}
	}, func(c *controllertest.Cluster) {
		meta := metav1.ObjectMeta{Namespace: "default", Name: "bot"}
		if _, err := c.Client.Create(c.Context(), "serviceaccounts", &corev1.ServiceAccount{ObjectMeta: meta, Secrets: []corev1.ObjectReference{{Name: "first"}}}); err != nil {
			c.Fatal(err)
		}
		create := func(name, account string) {
			_, err := c.Client.Create(c.Context(), "secrets", &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{corev1.ServiceAccountNameKey: account}},
				Type:       corev1.SecretTypeServiceAccountToken,
			})
			if err != nil {
				c.Fatal(err)
			}
		}
		get := func(name string) (*corev1.Secret, bool) {
			return cache.Get[*corev1.Secret](c.Cache, "secrets", "default", name)
		}
		create("first", "bot")
		create("second", "bot")
		create("orphan", "nobody")
		for _, name := range []string{"first", "second"} {
			c.Until(name+" filled", func() bool {
				secret, ok := get(name)
				return ok && string(secret.Data["token"]) == "token of bot in "+name && string(secret.Data["namespace"]) == "default" &&
					string(secret.Data["ca.crt"]) == "certificates" && secret.Annotations[corev1.ServiceAccountUIDKey] != ""
			})
		}
		c.Until("that of nobody is gone", func() bool { _, ok := get("orphan"); return !ok })
		if err := c.Client.Delete(c.Context(), "secrets", "default", "first", metav1.DeleteOptions{}); err != nil {
			c.Fatal(err)
		}
		c.Until("the account has forgotten it", func() bool {
			account, ok := cache.Get[*corev1.ServiceAccount](c.Cache, "serviceaccounts", "default", "bot")
			return ok && len(account.Secrets) == 0
		})
		if err := c.Client.Delete(c.Context(), "serviceaccounts", "default", "bot", metav1.DeleteOptions{}); err != nil {
			c.Fatal(err)
		}
		c.Until("the tokens are gone with their account", func() bool { _, ok := get("second"); return !ok })
	})
}
