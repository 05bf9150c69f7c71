package podautoscaler

import (
	"math"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// memory is what the loop remembers of an autoscaler: what it would have
// recommended lately, and how it has scaled. Only the autoscaler's own turns,
// of which there is one at a time, touch it.
type memory struct {
	recommendations []recommendation
	ups, downs      []change
}

type recommendation struct {
	replicas int32
	at       time.Time
}

// change is how many replicas a rescaling added or removed.
type change struct {
	replicas int32
	at       time.Time
}

// begin makes what there is at first the first recommendation, so that a new
// autoscaler does not scale down at once.
func (m *memory) begin(current int32, now time.Time) {
	if m.recommendations == nil {
		m.recommendations = []recommendation{{current, now}}
	}
}

// scaled remembers a rescaling for the policies of a behaviour.
func (m *memory) scaled(behavior *autoscalingv2.HorizontalPodAutoscalerBehavior, from, to int32, now time.Time) {
	if behavior == nil {
		return
	}
	longest := func(rules *autoscalingv2.HPAScalingRules) time.Duration {
		seconds := int32(0)
		for _, policy := range rules.Policies {
			seconds = max(seconds, policy.PeriodSeconds)
		}
		return time.Duration(seconds) * time.Second
	}
	drop := func(list []change, after time.Duration) []change {
		return slices.DeleteFunc(list, func(c change) bool { return c.at.Before(now.Add(-after)) })
	}
	if to > from {
		m.ups = append(drop(m.ups, longest(behavior.ScaleUp)), change{to - from, now})
	} else {
		m.downs = append(drop(m.downs, longest(behavior.ScaleDown)), change{from - to, now})
	}
}

// normalize keeps a proposal within what was recommended lately, the limits and
// the allowed rate, and says so in conditions.
func (t *turn) normalize(current, proposed, least int32) int32 {
	now, behavior := t.clock.Now(), t.hpa.Spec.Behavior
	upWindow, downWindow := time.Duration(0), downscaleWindow
	if behavior != nil {
		upWindow = seconds(behavior.ScaleUp.StabilizationWindowSeconds, 0)
		downWindow = seconds(behavior.ScaleDown.StabilizationWindowSeconds, downscaleWindow)
	}
	stable := t.stabilize(current, proposed, upWindow, downWindow, now)
	switch {
	case stable == proposed:
		t.set(autoscalingv2.AbleToScale, true, "ReadyForNewScale", "recommended size matches current size")
	case behavior != nil && proposed >= current:
		t.set(autoscalingv2.AbleToScale, true, "ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")
	default:
		t.set(autoscalingv2.AbleToScale, true, "ScaleDownStabilized", "recent recommendations were higher than current one, applying the highest recent recommendation")
	}
	desired, reason, message := t.limit(current, stable, least, now)
	t.set(autoscalingv2.ScalingLimited, desired != stable, reason, message)
	return desired
}

func seconds(value *int32, otherwise time.Duration) time.Duration {
	if value == nil {
		return otherwise
	}
	return time.Duration(*value) * time.Second
}

// stabilize applies the lowest recent recommendation when scaling up and the
// highest when scaling down.
func (t *turn) stabilize(current, proposed int32, upWindow, downWindow time.Duration, now time.Time) int32 {
	lowest, highest := proposed, proposed
	for _, r := range t.recommendations {
		if r.at.After(now.Add(-upWindow)) {
			lowest = min(lowest, r.replicas)
		}
		if !r.at.Before(now.Add(-downWindow)) {
			highest = max(highest, r.replicas)
		}
	}
	oldest := now.Add(-max(upWindow, downWindow))
	t.recommendations = slices.DeleteFunc(t.recommendations, func(r recommendation) bool { return r.at.Before(oldest) })
	t.recommendations = append(t.recommendations, recommendation{proposed, now})
	if t.hpa.Spec.Behavior == nil {
		return highest
	}
	return min(max(current, lowest), highest)
}

const (
	tooFast = "the desired replica count is increasing faster than the maximum scale rate"
	tooSlow = "the desired replica count is decreasing faster than the maximum scale rate"
	tooMany = "the desired replica count is more than the maximum replica count"
	tooFew  = "the desired replica count is less than the minimum replica count"
)

// limit returns what is allowed of a number of replicas, and why.
func (t *turn) limit(current, desired, least int32, now time.Time) (allowed int32, reason, message string) {
	behavior, most := t.hpa.Spec.Behavior, t.hpa.Spec.MaxReplicas
	switch {
	case behavior == nil:
		fastest := int32(max(scaleUpLimitFactor*float64(current), scaleUpLimitMinimum))
		switch {
		case desired < least:
			return least, "TooFewReplicas", tooFew
		case most > fastest && desired > fastest:
			return fastest, "ScaleUpLimit", tooFast
		case most <= fastest && desired > most:
			return most, "TooManyReplicas", tooMany
		}
	case desired > current:
		fastest := max(t.upTo(current, behavior.ScaleUp, now), current)
		switch {
		case most > fastest && desired > fastest:
			return fastest, "ScaleUpLimit", tooFast
		case most <= fastest && desired > most:
			return most, "TooManyReplicas", tooMany
		}
	case desired < current:
		slowest := min(t.downTo(current, behavior.ScaleDown, now), current)
		switch {
		case least < slowest && desired < slowest:
			return slowest, "ScaleDownLimit", tooSlow
		case least >= slowest && desired < least:
			return least, "TooFewReplicas", tooFew
		}
	}
	return desired, "DesiredWithinRange", "the desired count is within the acceptable range"
}

// before is how many replicas there were at the beginning of a policy's period.
func (t *turn) before(current int32, policy *autoscalingv2.HPAScalingPolicy, now time.Time) int32 {
	since := now.Add(-time.Duration(policy.PeriodSeconds) * time.Second)
	for _, c := range t.ups {
		if c.at.After(since) {
			current -= c.replicas
		}
	}
	for _, c := range t.downs {
		if c.at.After(since) {
			current += c.replicas
		}
	}
	return current
}

func (t *turn) upTo(current int32, rules *autoscalingv2.HPAScalingRules, now time.Time) int32 {
	return choose(current, rules, true, func(policy *autoscalingv2.HPAScalingPolicy) int32 {
		start := t.before(current, policy, now)
		if policy.Type == autoscalingv2.PodsScalingPolicy {
			return start + policy.Value
		}
		return int32(math.Ceil(float64(start) * (1 + float64(policy.Value)/100)))
	})
}

func (t *turn) downTo(current int32, rules *autoscalingv2.HPAScalingRules, now time.Time) int32 {
	return choose(current, rules, false, func(policy *autoscalingv2.HPAScalingPolicy) int32 {
		start := t.before(current, policy, now)
		if policy.Type == autoscalingv2.PodsScalingPolicy {
			return start - policy.Value
		}
		return int32(float64(start) * (1 - float64(policy.Value)/100))
	})
}

// choose asks all policies and takes the one that changes most, or least if the
// rules say so.
func choose(current int32, rules *autoscalingv2.HPAScalingRules, up bool, limit func(*autoscalingv2.HPAScalingPolicy) int32) int32 {
	if *rules.SelectPolicy == autoscalingv2.DisabledPolicySelect {
		return current
	}
	largest := up == (*rules.SelectPolicy != autoscalingv2.MinChangePolicySelect)
	result := limit(&rules.Policies[0])
	for i := range rules.Policies[1:] {
		other := limit(&rules.Policies[i+1])
		if largest {
			result = max(result, other)
		} else {
			result = min(result, other)
		}
	}
	return result
}
