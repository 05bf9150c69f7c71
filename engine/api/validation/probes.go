package validation

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// probes checks a container's three probes and its lifecycle hooks.
func probes(parent *field.Path, c *corev1.Container, grace *int64, os *corev1.PodOS) field.ErrorList {
	var errs field.ErrorList
	if c.Lifecycle != nil {
		errs = append(errs, lifecycle(parent.Child("lifecycle"), c.Lifecycle, grace, os)...)
	}
	if c.LivenessProbe != nil {
		at := parent.Child("livenessProbe")
		errs = append(errs, probe(at, c.LivenessProbe, grace)...)
		errs = append(errs, oneSuccess(at, c.LivenessProbe)...)
	}
	if c.ReadinessProbe != nil {
		at := parent.Child("readinessProbe")
		errs = append(errs, probe(at, c.ReadinessProbe, grace)...)
		if seconds := c.ReadinessProbe.TerminationGracePeriodSeconds; seconds != nil {
			errs = append(errs, field.Invalid(at.Child("terminationGracePeriodSeconds"), *seconds, "must not be set for readinessProbes"))
		}
	}
	if c.StartupProbe != nil {
		at := parent.Child("startupProbe")
		errs = append(errs, probe(at, c.StartupProbe, grace)...)
		errs = append(errs, oneSuccess(at, c.StartupProbe)...)
	}
	return errs
}

func oneSuccess(at *field.Path, p *corev1.Probe) field.ErrorList {
	if p.SuccessThreshold == 1 {
		return nil
	}
	return field.ErrorList{field.Invalid(at.Child("successThreshold"), p.SuccessThreshold, "must be 1")}
}

func probe(at *field.Path, p *corev1.Probe, grace *int64) field.ErrorList {
	errs := handler(at, p.Exec, p.HTTPGet, p.TCPSocket, p.GRPC, nil, grace)
	errs = append(errs, nonNegative(at, "initialDelaySeconds", p.InitialDelaySeconds)...)
	errs = append(errs, nonNegative(at, "timeoutSeconds", p.TimeoutSeconds)...)
	errs = append(errs, nonNegative(at, "periodSeconds", p.PeriodSeconds)...)
	errs = append(errs, nonNegative(at, "successThreshold", p.SuccessThreshold)...)
	errs = append(errs, nonNegative(at, "failureThreshold", p.FailureThreshold)...)
	if seconds := p.TerminationGracePeriodSeconds; seconds != nil && *seconds <= 0 {
		errs = append(errs, field.Invalid(at.Child("terminationGracePeriodSeconds"), *seconds, "must be greater than 0"))
	}
	return errs
}

func lifecycle(at *field.Path, l *corev1.Lifecycle, grace *int64, os *corev1.PodOS) field.ErrorList {
	var errs field.ErrorList
	if h := l.PostStart; h != nil {
		errs = append(errs, handler(at.Child("postStart"), h.Exec, h.HTTPGet, h.TCPSocket, nil, h.Sleep, grace)...)
	}
	if h := l.PreStop; h != nil {
		errs = append(errs, handler(at.Child("preStop"), h.Exec, h.HTTPGet, h.TCPSocket, nil, h.Sleep, grace)...)
	}
	if l.StopSignal != nil && os == nil {
		errs = append(errs, field.Forbidden(at.Child("stopSignal"), "may not be set for containers with empty `spec.os.name`"))
	}
	return errs
}

func handler(at *field.Path, exec *corev1.ExecAction, http *corev1.HTTPGetAction, tcp *corev1.TCPSocketAction, grpc *corev1.GRPCAction, sleep *corev1.SleepAction, grace *int64) field.ErrorList {
	var errs field.ErrorList
	count := 0
	one := func(present bool, name string, check func(*field.Path) field.ErrorList) {
		switch {
		case !present:
		case count > 0:
			errs = append(errs, field.Forbidden(at.Child(name), "may not specify more than 1 handler type"))
		default:
			count++
			errs = append(errs, check(at.Child(name))...)
		}
	}
	one(exec != nil, "exec", func(at *field.Path) field.ErrorList {
		if len(exec.Command) == 0 {
			return field.ErrorList{field.Required(at.Child("command"), "")}
		}
		return nil
	})
	one(http != nil, "httpGet", func(at *field.Path) field.ErrorList { return httpGet(at, http) })
	one(tcp != nil, "tcpSocket", func(at *field.Path) field.ErrorList { return portNumberOrName(at.Child("port"), tcp.Port) })
	one(grpc != nil, "grpc", func(at *field.Path) field.ErrorList {
		return portNumberOrName(at.Child("port"), intstr.FromInt32(grpc.Port))
	})
	one(sleep != nil, "sleep", func(at *field.Path) field.ErrorList {
		if grace != nil && (sleep.Seconds < 0 || sleep.Seconds > *grace) {
			return field.ErrorList{field.Invalid(at, sleep.Seconds, fmt.Sprintf("must be non-negative and less than terminationGracePeriodSeconds (%d)", *grace))}
		}
		return nil
	})
	if count == 0 {
		errs = append(errs, field.Required(at, "must specify a handler type"))
	}
	return errs
}

func httpGet(at *field.Path, action *corev1.HTTPGetAction) field.ErrorList {
	errs := required(at, "path", action.Path)
	errs = append(errs, portNumberOrName(at.Child("port"), action.Port)...)
	errs = append(errs, supportedOnly(at.Child("scheme"), action.Scheme, corev1.URISchemeHTTP, corev1.URISchemeHTTPS)...)
	for _, header := range action.HTTPHeaders {
		errs = append(errs, invalid(at.Child("httpHeaders"), header.Name, validation.IsHTTPHeaderName(header.Name))...)
	}
	return errs
}

func portNumber(at *field.Path, child string, port int32) field.ErrorList {
	if port >= 1 && port <= 65535 {
		return nil
	}
	return invalid(at.Child(child), port, validation.IsValidPortNum(int(port)))
}

func portNumberOrName(at *field.Path, port intstr.IntOrString) field.ErrorList {
	if port.Type == intstr.Int {
		return invalid(at, port.IntVal, validation.IsValidPortNum(int(port.IntVal)))
	}
	return invalid(at, port.StrVal, validation.IsValidPortName(port.StrVal))
}
