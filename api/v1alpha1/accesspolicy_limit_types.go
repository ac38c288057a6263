package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CeilingPolicy says what namespaces may ask for at most. Where several ceilings
// select a namespace, only what all of them allow is allowed. What is absent is
// not limited by this ceiling, but for permissions that begin with "okta.". What a namespace may ask for that no ceiling selects
// is said by the operator's configuration.
//
// +kubebuilder:validation:XValidation:rule="has(self.permissions) || has(self.deliveries) || has(self.maxTokenLifetime) || has(self.maxKeyAge) || has(self.owners) || has(self.expiry) || has(self.apps) || has(self.members)",message="a ceiling must limit something: give permissions, deliveries, maxTokenLifetime, maxKeyAge, owners, expiry, apps or members"
type CeilingPolicy struct {
	// namespaceSelector selects the namespaces the ceiling binds, by their labels;
	// {} selects all. Whoever may label a namespace decides about it.
	// +required
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// permissions that keys and roles may have: names, or beginnings of names that
	// end with *. All when absent, but for those that begin with "okta.": a ceiling
	// gives them to the people of roles only by naming each in full.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Permissions []PermissionPattern `json:"permissions,omitempty"`

	// deliveries that keys may have.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Deliveries []Delivery `json:"deliveries,omitempty"`

	// maxTokenLifetime is the longest an access token may last, in whole minutes
	// from 5m to 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5m') && duration(self) <= duration('24h') && duration(self).getSeconds() % 60 == 0",message="maxTokenLifetime must be whole minutes from 5m to 24h"
	MaxTokenLifetime *metav1.Duration `json:"maxTokenLifetime,omitempty"`

	// maxKeyAge is the age at which a credential must have been replaced, from 1h
	// to 8784h (366 days). A key without a rotation that keeps it is refused.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('8784h')",message="maxKeyAge must be from 1h to 8784h (366 days)"
	MaxKeyAge *metav1.Duration `json:"maxKeyAge,omitempty"`

	// owners says whether each key must name owners of its agent; Optional when absent.
	// +optional
	Owners Requirement `json:"owners,omitempty"`

	// expiry says whether each key must have an expiresAt; Optional when absent.
	// +optional
	Expiry Requirement `json:"expiry,omitempty"`

	// members are the people whom roles may name: logins, or a * and the end of logins,
	// such as *@team.example.com.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Members []LoginPattern `json:"members,omitempty"`

	// apps are the Okta apps that Conditional policies may govern.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Apps []AppReference `json:"apps,omitempty"`
}

// PermissionPattern is the name of a permission, or the beginning of names, then *. Names
// that begin with "okta." must be given in full; the operator's configuration must allow
// them, too.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=100
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9_.:/-]*[*]?$')",message="must be the name of a permission, or the beginning of names followed by one *, such as 'chat:*'; to allow all, remove permissions"
// +kubebuilder:validation:XValidation:rule="!self.startsWith('okta.') || !self.endsWith('*')",message="permissions that begin with 'okta.' administer the Okta org itself: no ceiling allows them by a beginning of their names; give each in full, such as 'okta.users.read'"
type PermissionPattern string

// LoginPattern is the login of a person, or a * and the end of logins.
//
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=100
// +kubebuilder:validation:XValidation:rule="self.matches('^[*]?[^*]+$')",message="must be a login, or one * followed by the end of logins, such as '*@team.example.com'; to allow everybody, remove members"
type LoginPattern string

// QuarantinePolicy cuts keys off: they get no new tokens, their known tokens are
// revoked where Okta can, and their Secrets hold no working credential. Deleting
// the AccessPolicy releases them, with new credentials.
type QuarantinePolicy struct {
	// targets are the keys to cut off.
	// +required
	Targets QuarantineTargets `json:"targets,omitzero"`

	// reason is told to the owners of the keys. Do not write secrets into it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	Reason string `json:"reason,omitempty"`
}

// QuarantineTargets are the keys to cut off.
//
// +kubebuilder:validation:XValidation:rule="has(self.keys) != has(self.selector)",message="give exactly one of targets.keys and targets.selector"
type QuarantineTargets struct {
	// keys by name.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Keys []KeyReference `json:"keys,omitempty"`

	// selector of keys. A key it has once matched stays cut off until this
	// AccessPolicy is deleted, whatever its team changes.
	// +optional
	Selector *KeySelector `json:"selector,omitempty"`
}

// KeyReference points at one AgentAPIKey.
type KeyReference struct {
	// namespace of the AgentAPIKey.
	// +required
	Namespace NamespaceName `json:"namespace,omitempty"`

	// name of the AgentAPIKey.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// NamespacedRole points at one AIAgentRole from outside its namespace.
type NamespacedRole struct {
	// namespace of the AIAgentRole.
	// +required
	Namespace NamespaceName `json:"namespace,omitempty"`

	// name of the AIAgentRole.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// KeySelector selects AgentAPIKeys: all that is given must match.
//
// +kubebuilder:validation:XValidation:rule="has(self.namespaces) || has(self.roles) || has(self.labelSelector)",message="a selector must select by something: give namespaces, roles or labelSelector"
type KeySelector struct {
	// namespaces in which the keys are.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Namespaces []NamespaceName `json:"namespaces,omitempty"`

	// roles the keys have.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Roles []NamespacedRole `json:"roles,omitempty"`

	// labelSelector on the keys. Their teams decide about these labels: prefer
	// namespaces and roles against somebody who does not want to be found.
	// +optional
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`

	// maxTargets is how many keys you expect at most. When more match, none is
	// cut off and Ready says TooManyTargets; keys that are cut off stay so.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5000
	MaxTargets int32 `json:"maxTargets,omitempty"`
}
