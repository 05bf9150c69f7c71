package kubelet

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestServiceVariables(t *testing.T) {
	web := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "my-web"}, Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.7",
		Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: "TCP"}, {Name: "dns-udp", Port: 53, Protocol: "UDP"}}}}
	headless := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "each"}, Spec: corev1.ServiceSpec{ClusterIP: "None", Ports: web.Spec.Ports}}
	var s serviceVars
	var lines []string
	for _, v := range s.of([]*corev1.Service{headless, web}) {
		lines = append(lines, v.Name+"="+v.Value)
	}
	want := `MY_WEB_PORT=tcp://10.96.0.7:80
MY_WEB_PORT_53_UDP=udp://10.96.0.7:53
MY_WEB_PORT_53_UDP_ADDR=10.96.0.7
MY_WEB_PORT_53_UDP_PORT=53
MY_WEB_PORT_53_UDP_PROTO=udp
MY_WEB_PORT_80_TCP=tcp://10.96.0.7:80
MY_WEB_PORT_80_TCP_ADDR=10.96.0.7
MY_WEB_PORT_80_TCP_PORT=80
MY_WEB_PORT_80_TCP_PROTO=tcp
MY_WEB_SERVICE_HOST=10.96.0.7
MY_WEB_SERVICE_PORT=80
MY_WEB_SERVICE_PORT_DNS_UDP=53
MY_WEB_SERVICE_PORT_HTTP=80`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := s.of(nil); len(got) != 0 {
		t.Errorf("without services: %v", got)
	}
}

func TestEnvironment(t *testing.T) {
	env := environment{services: []EnvVar{{"WEB_PORT", "tcp://"}, {"COLOR", "of the service"}}}
	env.set("COLOR", "red")
	env.set("COLOR", "blue")
	all := env.all()
	if len(all) != 2 || all[0] != (EnvVar{"COLOR", "blue"}) || all[1] != (EnvVar{"WEB_PORT", "tcp://"}) {
		t.Errorf("got %v", all)
	}
	if value, _ := env.lookup("WEB_PORT"); value != "tcp://" {
		t.Errorf("a service's variable is %q", value)
	}
	if got := formatMap(map[string]string{"b": "x\ny", "a": "1"}); got != "a=\"1\"\nb=\"x\\ny\"" {
		t.Errorf("got %s", got)
	}
}
