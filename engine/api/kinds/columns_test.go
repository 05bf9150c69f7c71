package kinds

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Columns are described by the documentation of the fields that they show.
func TestColumnsAreDescribedByTheirFields(t *testing.T) {
	meta, name, created := metav1.ObjectMeta{}.SwaggerDoc(), "name", "creationTimestamp"
	event, service := corev1.Event{}.SwaggerDoc(), corev1.ServiceSpec{}.SwaggerDoc()
	nodeInfo, nodeStatus := corev1.NodeSystemInfo{}.SwaggerDoc(), corev1.NodeStatus{}.SwaggerDoc()
	podSpec, podStatus := corev1.PodSpec{}.SwaggerDoc(), corev1.PodStatus{}.SwaggerDoc()
	slice := discoveryv1.EndpointSlice{}.SwaggerDoc()
	replicaSet, replicaSetStatus := appsv1.ReplicaSetSpec{}.SwaggerDoc(), appsv1.ReplicaSetStatus{}.SwaggerDoc()
	deploymentStatus := appsv1.DeploymentStatus{}.SwaggerDoc()
	daemonSet, cronJob := appsv1.DaemonSetStatus{}.SwaggerDoc(), batchv1.CronJobSpec{}.SwaggerDoc()
	replicationController := corev1.ReplicationControllerSpec{}.SwaggerDoc()
	special := map[string]map[string]string{
		"Event": {
			"Last Seen": event["lastTimestamp"], "Type": event["type"], "Reason": event["reason"],
			"Object": event["involvedObject"], "Subobject": corev1.ObjectReference{}.SwaggerDoc()["fieldPath"],
			"Source": event["source"], "Message": event["message"], "First Seen": event["firstTimestamp"], "Count": event["count"],
		},
		"Service": {
			"Type": service["type"], "Cluster-IP": service["clusterIP"], "External-IP": service["externalIPs"],
			"Port(s)": service["ports"], "Selector": service["selector"],
		},
		"Node": {
			"Version": nodeInfo["kubeletVersion"], "Internal-IP": nodeStatus["addresses"], "External-IP": nodeStatus["addresses"],
			"OS-Image": nodeInfo["osImage"], "Kernel-Version": nodeInfo["kernelVersion"], "Container-Runtime": nodeInfo["containerRuntimeVersion"],
		},
		"Pod": {
			"IP": podStatus["podIP"], "Node": podSpec["nodeName"], "Nominated Node": podStatus["nominatedNodeName"],
			"Readiness Gates": podSpec["readinessGates"],
		},
		"Deployment": {
			"Up-to-date": deploymentStatus["updatedReplicas"], "Available": deploymentStatus["availableReplicas"],
			"Selector": appsv1.DeploymentSpec{}.SwaggerDoc()["selector"],
		},
		"ReplicaSet": {
			"Desired": replicaSet["replicas"], "Current": replicaSetStatus["replicas"], "Ready": replicaSetStatus["readyReplicas"],
			"Selector": replicaSet["selector"],
		},
		"ReplicationController": {
			"Desired": replicationController["replicas"], "Ready": corev1.ReplicationControllerStatus{}.SwaggerDoc()["readyReplicas"],
			"Current": corev1.ReplicationControllerStatus{}.SwaggerDoc()["replicas"], "Selector": replicationController["selector"],
		},
		"DaemonSet": {
			"Desired": daemonSet["desiredNumberScheduled"], "Current": daemonSet["currentNumberScheduled"], "Ready": daemonSet["numberReady"],
			"Up-to-date": daemonSet["updatedNumberScheduled"], "Available": daemonSet["numberAvailable"], "Node Selector": podSpec["nodeSelector"],
			"Selector": appsv1.DaemonSetSpec{}.SwaggerDoc()["selector"],
		},
		"ControllerRevision": {"Revision": appsv1.ControllerRevision{}.SwaggerDoc()["revision"]},
		"Job":                {"Completions": batchv1.JobStatus{}.SwaggerDoc()["succeeded"], "Selector": batchv1.JobSpec{}.SwaggerDoc()["selector"]},
		"CronJob": {
			"Schedule": cronJob["schedule"], "Timezone": cronJob["timeZone"], "Suspend": cronJob["suspend"],
			"Active": batchv1.CronJobStatus{}.SwaggerDoc()["active"], "Last Schedule": batchv1.CronJobStatus{}.SwaggerDoc()["lastScheduleTime"],
			"Selector": batchv1.JobSpec{}.SwaggerDoc()["selector"],
		},
		"EndpointSlice": {"AddressType": slice["addressType"], "Ports": slice["ports"], "Endpoints": slice["endpoints"]},
		"ConfigMap":     {"Data": corev1.ConfigMap{}.SwaggerDoc()["data"]},
		"Secret":        {"Type": corev1.Secret{}.SwaggerDoc()["type"], "Data": corev1.Secret{}.SwaggerDoc()["data"]},
		"Lease":         {"Holder": coordinationv1.LeaseSpec{}.SwaggerDoc()["holderIdentity"]},
	}
	for _, k := range append(All(), Administrative(nil)...) {
		known := special[k.Kind]
		if known == nil {
			known = map[string]string{}
		}
		known["Name"], known["Age"] = meta[name], meta[created]
		for _, column := range k.Columns {
			if column.Description == "" && column.Name != "Handler" {
				t.Errorf("%s: column %s has no description", k.Kind, column.Name)
			}
			if want, documented := known[column.Name]; documented && column.Description != want {
				t.Errorf("%s: column %s is described as\n%s\nwant\n%s", k.Kind, column.Name, column.Description, want)
			}
		}
	}
}
