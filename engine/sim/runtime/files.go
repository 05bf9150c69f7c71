package runtime

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// dnsServer is where a cluster's DNS is.
const dnsServer = "10.96.0.10"

// ownFiles are those that a kubelet and a runtime make for a container
// (k8s.io/kubernetes/pkg/kubelet.ensureHostsFile and network/dns upstream).
func (c *container) ownFiles() map[string]string {
	pod := c.sandbox.pod
	hosts := "# Kubernetes-managed hosts file.\n" +
		"127.0.0.1\tlocalhost\n" +
		"::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"fe00::0\tip6-localnet\n" +
		"fe00::0\tip6-mcastprefix\n" +
		"fe00::1\tip6-allnodes\n" +
		"fe00::2\tip6-allrouters\n" +
		c.IP() + "\t" + c.Hostname() + "\n"
	if len(pod.Spec.HostAliases) > 0 {
		hosts += "\n# Entries added by HostAliases.\n"
		for _, alias := range pod.Spec.HostAliases {
			hosts += alias.IP + "\t" + strings.Join(alias.Hostnames, "\t") + "\n"
		}
	}
	resolve := "nameserver " + c.runtime.addresses.gateway() + "\n"
	if pod.Spec.DNSPolicy == corev1.DNSClusterFirst || pod.Spec.DNSPolicy == corev1.DNSClusterFirstWithHostNet {
		resolve = "search " + pod.Namespace + ".svc.cluster.local svc.cluster.local cluster.local\n" +
			"nameserver " + dnsServer + "\noptions ndots:5\n"
	}
	return map[string]string{"/etc/hosts": hosts, "/etc/hostname": c.Hostname() + "\n", "/etc/resolv.conf": resolve}
}
