package deployment

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/dump"
)

// templateHash is the pod-template-hash of Kubernetes: it names ReplicaSets and
// labels pods, so it has to be the same to the last bit.
func templateHash(template *corev1.PodTemplateSpec, collisions *int32) string {
	hash := fnv.New32a()
	hash.Write([]byte(dump.ForHash(*template)))
	if collisions != nil {
		count := make([]byte, 8)
		binary.LittleEndian.PutUint32(count, uint32(*collisions))
		hash.Write(count)
	}
	return safe(strconv.FormatUint(uint64(hash.Sum32()), 10))
}

// safe writes digits in an alphabet without vowels, which spells no words.
func safe(digits string) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	encoded := []byte(digits)
	for i, digit := range encoded {
		encoded[i] = alphabet[int(digit)%len(alphabet)]
	}
	return string(encoded)
}

// replicaSetName joins the two, cutting the Deployment's name if it is too long.
func replicaSetName(deployment, hash string) string {
	if longest := validation.DNS1123SubdomainMaxLength - len("-") - len(hash); len(deployment) > longest {
		deployment = deployment[:longest]
	}
	return deployment + "-" + hash
}
