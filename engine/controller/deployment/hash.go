package deployment

import "k8s.io/apimachinery/pkg/util/validation"

// replicaSetName joins the two, cutting the Deployment's name if it is too long.
func replicaSetName(deployment, hash string) string {
	if longest := validation.DNS1123SubdomainMaxLength - len("-") - len(hash); len(deployment) > longest {
		deployment = deployment[:longest]
	}
	return deployment + "-" + hash
}
