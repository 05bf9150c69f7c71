package validation

import (
	"encoding/json"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var (
	dataPath       = field.NewPath("data")
	binaryDataPath = field.NewPath("binaryData")
	immutablePath  = field.NewPath("immutable")
)

const frozen = "field is immutable when `immutable` is set"

// ConfigMap checks a new ConfigMap.
func ConfigMap(c *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	size := 0
	for _, key := range sorted(c.Data) {
		errs = append(errs, configKey(dataPath, key)...)
		if _, twice := c.BinaryData[key]; twice {
			errs = append(errs, field.Invalid(dataPath.Key(key), key, "duplicate of key present in binaryData"))
		}
		size += len(c.Data[key])
	}
	for _, key := range sorted(c.BinaryData) {
		errs = append(errs, configKey(binaryDataPath, key)...)
		size += len(c.BinaryData[key])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(field.NewPath(""), "", corev1.MaxSecretSize))
	}
	return errs
}

// ConfigMapUpdate checks a change to a ConfigMap.
func ConfigMapUpdate(c, old *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	if isTrue(old.Immutable) {
		errs = append(errs, staysImmutable(c.Immutable)...)
		if !maps.Equal(c.Data, old.Data) {
			errs = append(errs, field.Forbidden(dataPath, frozen))
		}
		if !maps.EqualFunc(c.BinaryData, old.BinaryData, sameBytes) {
			errs = append(errs, field.Forbidden(binaryDataPath, frozen))
		}
	}
	return append(errs, ConfigMap(c)...)
}

func configKey(at *field.Path, key string) field.ErrorList {
	if isName(key) && len(key) <= validation.DNS1123SubdomainMaxLength {
		return nil
	}
	return invalid(at.Key(key), key, validation.IsConfigMapKey(key))
}

func isTrue(b *bool) bool { return b != nil && *b }

func staysImmutable(b *bool) field.ErrorList {
	if isTrue(b) {
		return nil
	}
	return field.ErrorList{field.Forbidden(immutablePath, frozen)}
}

func sameBytes(a, b []byte) bool { return string(a) == string(b) }

// Secret checks a new Secret.
func Secret(s *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	size := 0
	for _, key := range sorted(s.Data) {
		errs = append(errs, configKey(dataPath, key)...)
		size += len(s.Data[key])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(dataPath, "", corev1.MaxSecretSize))
	}
	return append(errs, secretType(s)...)
}

// SecretUpdate checks a change to a Secret.

func SecretUpdate(s, old *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	if s.Type != old.Type {
		errs = append(errs, immutable(field.NewPath("type"), s.Type, old.Type)...)
	}
	if isTrue(old.Immutable) {
		errs = append(errs, staysImmutable(s.Immutable)...)
		if !maps.EqualFunc(s.Data, old.Data, sameBytes) {
			errs = append(errs, field.Forbidden(dataPath, frozen))
		}
	}
	return append(errs, Secret(s)...)
}

func secretType(s *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	need := func(keys ...string) {
		for _, key := range keys {
			if _, has := s.Data[key]; !has {
				errs = append(errs, field.Required(dataPath.Key(key), ""))
			}
		}
	}
	needJSON := func(key string) {
		need(key)
		if content, has := s.Data[key]; has {
			if err := json.Unmarshal(content, &map[string]any{}); err != nil {
				errs = append(errs, field.Invalid(dataPath.Key(key), "<secret contents redacted>", err.Error()))
			}
		}
	}
	switch s.Type {
	case corev1.SecretTypeServiceAccountToken:
		if s.Annotations[corev1.ServiceAccountNameKey] == "" {
			errs = append(errs, field.Required(annotationsPath.Key(corev1.ServiceAccountNameKey), ""))
		}
	case corev1.SecretTypeDockercfg:
		needJSON(corev1.DockerConfigKey)
	case corev1.SecretTypeDockerConfigJson:
		needJSON(corev1.DockerConfigJsonKey)
	case corev1.SecretTypeBasicAuth:
		_, user := s.Data[corev1.BasicAuthUsernameKey]
		_, password := s.Data[corev1.BasicAuthPasswordKey]
		if !user && !password {
			need(corev1.BasicAuthUsernameKey, corev1.BasicAuthPasswordKey)
		}
	case corev1.SecretTypeSSHAuth:
		if len(s.Data[corev1.SSHAuthPrivateKey]) == 0 {
			errs = append(errs, field.Required(dataPath.Key(corev1.SSHAuthPrivateKey), ""))
		}
	case corev1.SecretTypeTLS:
		need(corev1.TLSCertKey, corev1.TLSPrivateKeyKey)
	}
	return errs
}
