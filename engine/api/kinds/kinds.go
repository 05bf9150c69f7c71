// Package kinds declares the resources that the API serves, one file each: how
// an object of the kind is defaulted, prepared, validated, selected and printed.
// Everything that a client can observe of them is as in Kubernetes v1.37.
//
// A new kind is one new file and one line in All. What several kinds share is
// in engine/api/defaulting and engine/api/validation; what every object shares
// (metadata, concurrency, HTTP) is in engine/api.
package kinds

import (
	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
)

// All returns the kinds that every cluster serves, always in the same order.
func All() []*kind.Kind {
	return []*kind.Kind{
		configMap(),
		event(),
		namespace(),
		node(),
		pod(),
		podTemplate(),
		replicationController(),
		secret(),
		serviceAccount(),
		service(),
		deployment(),
		replicaSet(),
		statefulSet(),
		daemonSet(),
		controllerRevision(),
		job(),
		cronJob(),
		endpointSlice(),
		lease(),
		limitRange(),
		resourceQuota(),
		priorityClass(),
		validatingAdmissionPolicy(),
		validatingAdmissionPolicyBinding(),
		validatingWebhookConfiguration(),
		mutatingWebhookConfiguration(),
		persistentVolume(),
		persistentVolumeClaim(),
		storageClass(),
		volumeAttributesClass(),
		csiDriver(),
		csiNode(),
		csiStorageCapacity(),
		volumeAttachment(),
		endpoints(),
		ingress(),
		ingressClass(),
		networkPolicy(),
		ipAddress(),
		serviceCIDR(),
		podDisruptionBudget(),
		runtimeClass(),
		horizontalPodAutoscaler(),
		role(),
		clusterRole(),
		roleBinding(),
		clusterRoleBinding(),
		certificateSigningRequest(),
		customResourceDefinition(),
	}
}

// Administrative returns the further kinds of a real API server, which those
// meet who run one. Builds for the browser, which must be small, don't call it,
// and so leave them out.
func Administrative(certificates validation.Certificates) []*kind.Kind {
	return []*kind.Kind{
		apiService(),
		flowSchema(),
		priorityLevelConfiguration(),
		clusterTrustBundle(certificates),
		storageVersionMigration(),
		deviceClass(),
		deviceTaintRule(),
		resourceClaim(),
		resourceClaimTemplate(),
		resourceSlice(),
	}
}
