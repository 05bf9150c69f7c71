package server

import (
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"tidepool.dev/tidepool/server/pki"
)

const (
	clusterName = "tidepool"
	adminUser   = "kubernetes-admin"
	adminGroup  = "system:masters"
)

// KubeconfigPath is where Serve writes the admin's kubeconfig.
func KubeconfigPath(dataDir string) string { return filepath.Join(dataDir, "kubeconfig") }

// writeKubeconfig lets kubectl find the API server and identify itself as the
// administrator. Only the owner can read the file.
func writeKubeconfig(path, url string, authority []byte, admin pki.Pair) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[clusterName] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: authority}
	config.AuthInfos[adminUser] = &clientcmdapi.AuthInfo{ClientCertificateData: admin.Certificate, ClientKeyData: admin.Key}
	config.Contexts[clusterName] = &clientcmdapi.Context{Cluster: clusterName, AuthInfo: adminUser}
	config.CurrentContext = clusterName
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return err
	}
	return os.Chmod(path, 0o600) // also if it was there before
}
