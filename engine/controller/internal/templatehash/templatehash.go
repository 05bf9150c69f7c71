// Package templatehash computes the hashes by which Kubernetes names what is
// made from a template: they have to be the same to the last bit.
package templatehash

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/dump"
)

// Of is the pod-template-hash of a template; collisions are how often another
// template had the same (pkg/controller.ComputeHash).
func Of(template *corev1.PodTemplateSpec, collisions *int32) string {
	hash := fnv.New32a()
	hash.Write([]byte(dump.ForHash(*template)))
	if collisions != nil {
		count := make([]byte, 8)
		binary.LittleEndian.PutUint32(count, uint32(*collisions))
		hash.Write(count)
	}
	return encode(hash.Sum32())
}

// OfRevision is the hash of a ControllerRevision's data
// (pkg/controller/history.HashControllerRevision).
func OfRevision(data []byte, collisions *int32) string {
	hash := fnv.New32()
	hash.Write(data)
	if collisions != nil {
		hash.Write([]byte(strconv.FormatInt(int64(*collisions), 10)))
	}
	return encode(hash.Sum32())
}

// encode writes the sum's decimal digits in an alphabet without vowels, which
// spells no words.
func encode(sum uint32) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	encoded := []byte(strconv.FormatUint(uint64(sum), 10))
	for i, digit := range encoded {
		encoded[i] = alphabet[int(digit)%len(alphabet)]
	}
	return string(encoded)
}
