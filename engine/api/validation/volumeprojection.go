package validation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func projected(at *field.Path, s *corev1.VolumeSource) field.ErrorList {
	source := s.Projected
	errs := mode(at, "defaultMode", source.DefaultMode)
	paths := map[string]bool{}
	conflict := func(target string, value string) {
		if target == "" {
			return
		}
		if paths[target] {
			errs = append(errs, field.Invalid(at, value, "conflicting duplicate paths"))
		}
		paths[target] = true
	}
	for i := range source.Sources {
		one := &source.Sources[i]
		sourcePath := at.Child("sources").Index(i)
		count := 0
		items := func(name string, object string, list []corev1.KeyToPath) {
			count++
			errs = append(errs, required(sourcePath.Child(name), "name", object)...)
			for j := range list {
				errs = append(errs, keyToPath(sourcePath.Child(name, "items").Index(j), &list[j])...)
				conflict(list[j].Path, object)
			}
		}
		if one.Secret != nil {
			items("secret", one.Secret.Name, one.Secret.Items)
		}
		if one.ConfigMap != nil {
			items("configMap", one.ConfigMap.Name, one.ConfigMap.Items)
		}
		if one.DownwardAPI != nil {
			count++
			for j := range one.DownwardAPI.Items {
				errs = append(errs, downwardAPIFile(sourcePath.Child("downwardAPI"), &one.DownwardAPI.Items[j])...)
				conflict(one.DownwardAPI.Items[j].Path, one.DownwardAPI.Items[j].Path)
			}
		}
		if one.ServiceAccountToken != nil {
			count++
			errs = append(errs, tokenProjection(at, sourcePath.Child("serviceAccountToken"), one.ServiceAccountToken)...)
		}
		if one.ClusterTrustBundle != nil || one.PodCertificate != nil {
			count++
		}
		if count > 1 {
			errs = append(errs, field.Forbidden(sourcePath, "may not specify more than 1 volume type per source"))
		}
	}
	return errs
}

func tokenProjection(volume, at *field.Path, token *corev1.ServiceAccountTokenProjection) field.ErrorList {
	var errs field.ErrorList
	switch expiration := token.ExpirationSeconds; {
	case expiration == nil:
		errs = append(errs, field.Required(at.Child("expirationSeconds"), ""))
	case *expiration < 10*60:
		errs = append(errs, field.Invalid(at.Child("expirationSeconds"), *expiration, "may not specify a duration less than 10 minutes"))
	case *expiration > 1<<32:
		errs = append(errs, field.Invalid(at.Child("expirationSeconds"), *expiration, "may not specify a duration larger than 2^32 seconds"))
	}
	if token.Path == "" {
		return append(errs, field.Required(volume.Child("path"), ""))
	}
	return append(errs, localPath(volume.Child("path"), token.Path)...)
}
