package validation

import (
	"k8s.io/apimachinery/pkg/util/validation"
)

var textChecks = []struct {
	name        string
	quick, slow func(string) []string
}{
	{"dnsLabel", dnsLabel, validation.IsDNS1123Label},
	{"dnsSubdomain", dnsSubdomain, validation.IsDNS1123Subdomain},
	{"qualifiedName", qualifiedName, validation.IsQualifiedName},
	{"labelValue", labelValue, validation.IsValidLabelValue},
	{"environmentName", environmentName, func(name string) []string {
		if name == "" {
			return nil // never asked
		}
		return validation.IsRelaxedEnvVarName(name)
	}},
	{"objectName", isObjectName, validation.IsDNS1123Subdomain},
}
