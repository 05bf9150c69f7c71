package kinds

import (
	"cmp"
	"time"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"tidepool.dev/tidepool/engine/api/kind"
	"tidepool.dev/tidepool/engine/api/validation"
	"tidepool.dev/tidepool/engine/store"
)

func priorityLevelConfiguration() *kind.Kind {
	type level = flowcontrolv1.PriorityLevelConfiguration
	return &kind.Kind{
		GroupVersionKind: flowcontrolv1.SchemeGroupVersion.WithKind("PriorityLevelConfiguration"),
		Plural:           "prioritylevelconfigurations",
		Singular:         "prioritylevelconfiguration",
		New:              func() store.Object { return &level{} },
		NewList:          func() runtime.Object { return &flowcontrolv1.PriorityLevelConfigurationList{} },
		Default:          on(defaultPriorityLevel),
		PrepareForCreate: on(func(l *level) {
			l.Status = flowcontrolv1.PriorityLevelConfigurationStatus{}
			l.Generation = 1
		}),
		PrepareForUpdate: onUpdate(func(l, old *level) {
			if !equality.Semantic.DeepEqual(l.Spec, old.Spec) {
				l.Generation = old.Generation + 1
			}
			l.Status = old.Status
		}),
		PrepareForStatusUpdate: onUpdate(func(l, old *level) {
			metav1.ResetObjectMetaForStatus(&l.ObjectMeta, &old.ObjectMeta)
			l.Spec = old.Spec
		}),
		Resets:                   flowControlResets,
		Validate:                 validate(validation.PriorityLevelConfiguration),
		ValidateUpdate:           validateUpdate(validation.PriorityLevelConfigurationUpdate),
		ValidateStatusUpdate:     validateUpdate(validation.PriorityLevelConfigurationStatusUpdate),
		AllowUnconditionalUpdate: true,
		Columns: []metav1.TableColumnDefinition{
			nameColumn(),
			textColumn("Type", "`type` indicates whether this priority level is subject to limitation on request execution.  A value of `\"Exempt\"` means that requests of this priority level are not subject to a limit (and thus are never queued) and do not detract from the capacity made available to other priority levels.  A value of `\"Limited\"` means that (a) requests of this priority level _are_ subject to limits and (b) some of the server's limited capacity is made available exclusively to this priority level. Required."),
			textColumn("NominalConcurrencyShares", "`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server's concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values:\n\nNominalCL(i)  = ceil( ServerCL * NCS(i) / sum_ncs ) sum_ncs = sum[priority level k] NCS(k)\n\nBigger numbers mean a larger nominal concurrency limit, at the expense of every other priority level.\n\nIf not specified, this field defaults to a value of 30.\n\nSetting this field to zero supports the construction of a \"jail\" for this priority level that is used to hold some request(s)"),
			textColumn("Queues", "`queues` is the number of queues for this priority level. The queues exist independently at each apiserver. The value must be positive.  Setting it to 1 effectively precludes shufflesharding and thus makes the distinguisher method of associated flow schemas irrelevant.  This field has a default value of 64."),
			textColumn("HandSize", "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.  When enqueuing a request at this priority level the request's flow identifier (a string pair) is hashed and the hash value is used to shuffle the list of queues and deal a hand of the size specified here.  The request is put into one of the shortest queues in that hand. `handSize` must be no larger than `queues`, and should be significantly smaller (so that a few heavy flows do not saturate most of the queues).  See the user-facing documentation for more extensive guidance on setting this field.  This field has a default value of 8."),
			textColumn("QueueLengthLimit", "`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time; excess requests are rejected.  This value must be positive.  If not specified, it will be defaulted to 50."),
			ageColumn(),
		},
		Row: row(func(l *level, now time.Time) []any {
			cells := []any{l.Name, string(l.Spec.Type), "<none>", "<none>", "<none>", "<none>", age(l.CreationTimestamp, now)}
			if limited := l.Spec.Limited; limited != nil {
				if limited.NominalConcurrencyShares != nil {
					cells[2] = int64(*limited.NominalConcurrencyShares)
				}
				if queuing := limited.LimitResponse.Queuing; queuing != nil {
					cells[3], cells[4], cells[5] = int64(queuing.Queues), int64(queuing.HandSize), int64(queuing.QueueLengthLimit)
				}
			}
			return cells
		}),
	}
}

// defaultPriorityLevel is k8s.io/kubernetes/pkg/apis/flowcontrol/v1/defaults.go.
func defaultPriorityLevel(l *flowcontrolv1.PriorityLevelConfiguration) {
	if exempt := l.Spec.Exempt; exempt != nil {
		exempt.NominalConcurrencyShares = cmp.Or(exempt.NominalConcurrencyShares, new(int32))
		exempt.LendablePercent = cmp.Or(exempt.LendablePercent, new(int32))
	}
	limited := l.Spec.Limited
	if limited == nil {
		return
	}
	limited.NominalConcurrencyShares = cmp.Or(limited.NominalConcurrencyShares, new(int32(30)))
	limited.LendablePercent = cmp.Or(limited.LendablePercent, new(int32))
	if queuing := limited.LimitResponse.Queuing; queuing != nil {
		queuing.HandSize = cmp.Or(queuing.HandSize, 8)
		queuing.Queues = cmp.Or(queuing.Queues, 64)
		queuing.QueueLengthLimit = cmp.Or(queuing.QueueLengthLimit, 50)
	}
}
