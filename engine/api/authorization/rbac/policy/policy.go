// Package policy has the roles and bindings that every cluster has, and puts
// them there when a control plane starts.
//
// They are written down in policy.txt. A line without indent begins an object:
// its kind, its name (with its namespace, if it has one) and the aggregations
// of which it is a part. Below a role each line is a rule:
//
//	aggregate NAME                     gather the rules of the roles of an aggregation
//	VERBS url PATHS                    paths that are not about resources
//	VERBS GROUPS RESOURCES [NAMES]     the core group is called "core"
//
// Below a binding the first line is the role, each other a subject.
package policy

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tidepool.dev/tidepool/engine/store"
)

//go:embed policy.txt
var text string

// Objects returns fresh ones, in the order in which they are made: ClusterRole,
// Role, ClusterRoleBinding, RoleBinding.
func Objects() []store.Object {
	var objects []store.Object
	for block := range strings.SplitSeq(text, "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if strings.HasPrefix(lines[0], "#") {
			continue
		}
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		objects = append(objects, object(lines))
	}
	return objects
}

func object(lines []string) store.Object {
	words := strings.Fields(lines[0])
	meta := metadata(words[1], words[2:])
	switch words[0] {
	case "ClusterRole":
		return clusterRole(meta, lines[1:])
	case "Role":
		return &rbacv1.Role{ObjectMeta: meta, Rules: rules(lines[1:])}
	case "ClusterRoleBinding":
		return &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: roleRef(lines[1]), Subjects: subjects(lines[2:])}
	case "RoleBinding":
		return &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: roleRef(lines[1]), Subjects: subjects(lines[2:])}
	}
	panic(fmt.Sprintf("policy.txt: %q", lines[0]))
}

const labelPrefix = rbacv1.GroupName + "/"

func metadata(name string, aggregations []string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{
		Name:        name,
		Labels:      map[string]string{"kubernetes.io/bootstrapping": "rbac-defaults"},
		Annotations: map[string]string{rbacv1.AutoUpdateAnnotationKey: "true"},
	}
	if namespace, name, ok := strings.Cut(name, "/"); ok {
		meta.Namespace, meta.Name = namespace, name
	}
	for _, aggregation := range aggregations {
		meta.Labels[labelPrefix+aggregation] = "true"
	}
	return meta
}

func clusterRole(meta metav1.ObjectMeta, lines []string) *rbacv1.ClusterRole {
	role := &rbacv1.ClusterRole{ObjectMeta: meta}
	if len(lines) > 0 {
		if name, ok := strings.CutPrefix(lines[0], "aggregate "); ok {
			role.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
				{MatchLabels: map[string]string{labelPrefix + name: "true"}},
			}}
			lines = lines[1:]
		}
	}
	role.Rules = rules(lines)
	return role
}

func rules(lines []string) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, line := range lines {
		words := strings.Fields(line)
		rule := rbacv1.PolicyRule{Verbs: strings.Split(words[0], ",")}
		if words[1] == "url" {
			rule.NonResourceURLs = strings.Split(words[2], ",")
			rules = append(rules, rule)
			continue
		}
		rule.APIGroups = strings.Split(words[1], ",")
		if core := slices.Index(rule.APIGroups, "core"); core >= 0 {
			rule.APIGroups[core] = ""
		}
		rule.Resources = strings.Split(words[2], ",")
		if len(words) > 3 {
			rule.ResourceNames = strings.Split(words[3], ",")
		}
		rules = append(rules, rule)
	}
	return rules
}

func roleRef(line string) rbacv1.RoleRef {
	kind, name, _ := strings.Cut(line, " ")
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func subjects(lines []string) []rbacv1.Subject {
	var subjects []rbacv1.Subject
	for _, line := range lines {
		kind, name, _ := strings.Cut(line, " ")
		subject := rbacv1.Subject{Kind: kind, Name: name}
		if kind == rbacv1.ServiceAccountKind {
			subject.Namespace, subject.Name, _ = strings.Cut(name, "/")
		} else {
			subject.APIGroup = rbacv1.GroupName
		}
		subjects = append(subjects, subject)
	}
	return subjects
}
