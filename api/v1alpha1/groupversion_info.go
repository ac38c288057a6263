// Package v1alpha1 holds the four kinds of agentidentity.dev: AIAgentRole,
// AgentAPIKey, AccessPolicy and AuditSink, with the conditions and reasons they
// report. It imports apimachinery only, so that any client can use it.
//
// +kubebuilder:object:generate=true
// +groupName=agentidentity.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the kinds in this package.
var GroupVersion = schema.GroupVersion{Group: "agentidentity.dev", Version: "v1alpha1"}

// AddToScheme registers the kinds with a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&AIAgentRole{}, &AIAgentRoleList{},
		&AgentAPIKey{}, &AgentAPIKeyList{},
		&AccessPolicy{}, &AccessPolicyList{},
		&AuditSink{}, &AuditSinkList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
