package v1

import "fmt"

// String stands for the method in the generated protobuf code, which is left out
// here: kubectl sorts rules by it.
func (r *PolicyRule) String() string {
	return fmt.Sprintf("&PolicyRule{Verbs:%v,APIGroups:%v,Resources:%v,ResourceNames:%v,NonResourceURLs:%v,}",
		r.Verbs, r.APIGroups, r.Resources, r.ResourceNames, r.NonResourceURLs)
}
