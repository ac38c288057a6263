package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ObjectName is the name of a Kubernetes object.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
type ObjectName string

// NamespaceName is the name of a namespace.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
type NamespaceName string

// RoleReference points at one AIAgentRole.
type RoleReference struct {
	// name of the AIAgentRole.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// namespace of the AIAgentRole; the key's own when absent. A role of another
	// namespace can be used only when it shares itself (shareWith).
	// +optional
	Namespace NamespaceName `json:"namespace,omitempty"`
}

// Agent says whose key this is. It is shown in Okta beside the client.
type Agent struct {
	// name of the agent, for people.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Name string `json:"name,omitempty"`

	// owners answer for the agent: e-mail addresses or team names.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=100
	Owners []string `json:"owners,omitempty"`

	// purpose says what the agent does, in a sentence.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=300
	Purpose string `json:"purpose,omitempty"`
}

// Delivery is the form in which the agent receives its credential.
//
// +kubebuilder:validation:Enum=PrivateKeyJWT;ClientSecret;AccessToken
type Delivery string

// The deliveries.
const (
	// DeliveryPrivateKeyJWT hands the agent a private key with which it signs its
	// token requests (RFC 7523). Okta holds the public half only.
	DeliveryPrivateKeyJWT Delivery = "PrivateKeyJWT"
	// DeliveryClientSecret hands the agent a client secret (RFC 6749, section 2.3.1).
	DeliveryClientSecret Delivery = "ClientSecret"
	// DeliveryAccessToken hands the agent short-lived access tokens and no key.
	DeliveryAccessToken Delivery = "AccessToken"
)

// SecretPreset is a ready-made shape of the Secret.
//
// +kubebuilder:validation:Enum=Files;Environment;ServiceBinding
type SecretPreset string

// The presets.
const (
	PresetFiles          SecretPreset = "Files"
	PresetEnvironment    SecretPreset = "Environment"
	PresetServiceBinding SecretPreset = "ServiceBinding"
)

// SecretTarget says where the credential is delivered.
//
// +kubebuilder:validation:XValidation:rule="!self.name.endsWith('.staged-credential')",message="names that end in '.staged-credential' are the operator's own; choose another name"
// +kubebuilder:validation:XValidation:rule="!(has(self.template) && has(self.preset))",message="give either template or preset, not both"
type SecretTarget struct {
	// name of the Secret, in the key's namespace. The operator creates it and
	// refuses a Secret of that name that it did not create.
	// +required
	Name ObjectName `json:"name,omitempty"`

	// preset is a ready-made shape of the Secret; Files when absent.
	// Not honoured yet, and refused.
	// +optional
	Preset SecretPreset `json:"preset,omitempty"`

	// template maps Secret keys to Go templates over the credential's fields.
	// Not honoured yet, and refused.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Template map[string]TemplateText `json:"template,omitempty"`
}

// TemplateText is a Go template over the credential's fields.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=4096
type TemplateText string

// Rotation says when the credential is replaced.
type Rotation struct {
	// every is the age at which the credential is replaced, at least 1h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h')",message="every must be at least 1h, in h, m or s, such as 720h"
	Every metav1.Duration `json:"every,omitzero"`

	// overlap is how long the previous credential stays valid after the new one
	// is published; 1h when absent.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="overlap must not be negative, in h, m or s, such as 1h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`

	// windows are the times at which a rotation may start; any time when absent.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Windows []RotationWindow `json:"windows,omitempty"`
}

// RotationWindow is a recurring stretch of time.
type RotationWindow struct {
	// start is a cron expression of five fields.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=100
	Start string `json:"start,omitempty"`

	// duration is how long the window stays open, at least 1m.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="duration must be at least 1m, in h, m or s, such as 2h"
	Duration metav1.Duration `json:"duration,omitzero"`

	// timeZone is a name of the IANA time zone database; UTC when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
}

// RestartTarget is a workload that reads its credential only when it starts.
type RestartTarget struct {
	// kind of the workload: Deployment, StatefulSet or DaemonSet.
	// +required
	// +kubebuilder:validation:Enum=Deployment;StatefulSet;DaemonSet
	Kind string `json:"kind,omitempty"`

	// name of the workload, in the key's namespace.
	// +required
	Name ObjectName `json:"name,omitempty"`
}

// DeletionPolicy says what becomes of the client in Okta when the key is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain;Deactivate
type DeletionPolicy string

// The deletion policies.
const (
	DeletionDelete     DeletionPolicy = "Delete"
	DeletionRetain     DeletionPolicy = "Retain"
	DeletionDeactivate DeletionPolicy = "Deactivate"
)

// DriftPolicy says what is done about a change that somebody made in Okta.
//
// +kubebuilder:validation:Enum=Enforce;Report
type DriftPolicy string

// The drift policies.
const (
	DriftEnforce DriftPolicy = "Enforce"
	DriftReport  DriftPolicy = "Report"
)

// Adoption takes over a client that exists in Okta already.
type Adoption struct {
	// clientID of the client to take over.
	// +required
	// +kubebuilder:validation:MinLength=6
	// +kubebuilder:validation:MaxLength=100
	ClientID string `json:"clientID,omitempty"`
}

// AgentAPIKeySpec is what the key should be.
//
// +kubebuilder:validation:XValidation:rule="!has(self.delivery) || self.delivery != 'AccessToken'",message="delivery AccessToken is not honoured by this release: use PrivateKeyJWT or ClientSecret (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.rotation)",message="spec.rotation is not honoured by this release: remove it (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt)",message="spec.expiresAt is not honoured by this release: remove it (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.state) || self.state == 'Active'",message="spec.state Suspended is not honoured by this release: delete the key to stop its tokens (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.restartTargets)",message="spec.restartTargets is not honoured by this release: remove it (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.deletionPolicy) || self.deletionPolicy == 'Delete'",message="only deletionPolicy Delete is honoured by this release (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.driftPolicy)",message="spec.driftPolicy is not honoured by this release: remove it (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.adopt)",message="spec.adopt is not honoured by this release: remove it (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="!has(self.secret.template) && !has(self.secret.preset)",message="spec.secret.template and spec.secret.preset are not honoured by this release: remove them (README, \"What does not work yet\")"
// +kubebuilder:validation:XValidation:rule="self.agent == oldSelf.agent",message="spec.agent cannot be changed in this release: delete the key and create it again"
// +kubebuilder:validation:XValidation:rule="self.delivery == oldSelf.delivery",message="delivery cannot be changed in this release: delete the key and create it again"
// +kubebuilder:validation:XValidation:rule="self.secret.name == oldSelf.secret.name",message="secret.name cannot be changed in this release: delete the key and create it again"
type AgentAPIKeySpec struct {
	// roleRef points at the one role whose permissions the key has.
	// +required
	RoleRef RoleReference `json:"roleRef,omitzero"`

	// agent says whose key this is.
	// +required
	Agent Agent `json:"agent,omitzero"`

	// delivery is the form of the credential; PrivateKeyJWT when absent.
	// +optional
	// +default="PrivateKeyJWT"
	Delivery Delivery `json:"delivery,omitempty"`

	// secret says where the credential is delivered.
	// +required
	Secret SecretTarget `json:"secret,omitzero"`

	// rotation says when the credential is replaced; never by itself when absent.
	// Not honoured yet, and refused.
	// +optional
	Rotation *Rotation `json:"rotation,omitempty"`

	// expiresAt is when the key is suspended. It is never deleted by time.
	// Not honoured yet, and refused.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:Pattern=`^[0-9-]{10}T[0-9:]{8}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// state is Active (the default), or Suspended: no token is issued until it is
	// Active again. Suspended is not honoured yet, and refused.
	// +optional
	State KeyState `json:"state,omitempty"`

	// restartTargets are restarted once after each change of the credential.
	// Not honoured yet, and refused.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	RestartTargets []RestartTarget `json:"restartTargets,omitempty"`

	// deletionPolicy says what becomes of the client in Okta when the key is
	// deleted; Delete when absent. The others are not honoured yet, and refused.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// driftPolicy says what is done about a change that somebody made in Okta;
	// Enforce when absent. Not honoured yet, and refused.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// adopt takes over a client that exists in Okta already.
	// Not honoured yet, and refused.
	// +optional
	Adopt *Adoption `json:"adopt,omitempty"`
}

// KeyState says whether tokens may be issued.
//
// +kubebuilder:validation:Enum=Active;Suspended
type KeyState string

// The states of a key.
const (
	StateActive    KeyState = "Active"
	StateSuspended KeyState = "Suspended"
)

// AgentAPIKeyStatus is what the operator found and did.
//
// +kubebuilder:validation:MinProperties=1
type AgentAPIKeyStatus struct {
	// observedGeneration is the generation of the spec the status speaks of; -1
	// before the operator has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready (always), Reconciling and Stalled (only while true).
	// Reasons of Ready: Ready, Progressing, RoleNotFound, RoleNotShared, RoleNotReady,
	// WaitingForRole, SecretConflict, SecretLost, TokenRefused, DeactivatedInDirectory,
	// DeletedInDirectory, RevokedInDirectory, and those of Okta: AuthenticationFailed,
	// PermissionDenied, FeatureUnavailable, UnsafeOrganizationSetting,
	// DirectoryUnreachable, DirectoryError, Throttled, InvalidRequest,
	// DirectoryConflict, WaitingForDirectory.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// clientID is the OAuth client id of the agent, once it is registered in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=6
	// +kubebuilder:validation:MaxLength=100
	ClientID string `json:"clientID,omitempty"`

	// appID is the id of the agent's app in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AppID string `json:"appID,omitempty"`

	// keyID names the credential in the Secret, without telling it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	KeyID string `json:"keyID,omitempty"`

	// scopes are the permissions a token of this key can hold.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=100
	Scopes []string `json:"scopes,omitempty"`
}

// AgentAPIKey is the credential of one agent with one role: in Okta a service app
// with the client_credentials grant, in the cluster a Secret the agent mounts.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=agentapikeys,shortName=aak,categories=agentidentity
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.roleRef.name`
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.spec.secret.name`
// +kubebuilder:printcolumn:name="Client ID",type=string,priority=1,JSONPath=`.status.clientID`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AgentAPIKey struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the key should be.
	// +required
	Spec AgentAPIKeySpec `json:"spec,omitzero"`

	// status is what the operator found and did. Its default tells kstatus that an
	// object nobody has looked at yet is in progress.
	// +optional
	// +default={"observedGeneration":-1}
	Status AgentAPIKeyStatus `json:"status,omitzero"`
}

// AgentAPIKeyList is a list of AgentAPIKeys.
//
// +kubebuilder:object:root=true
type AgentAPIKeyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AgentAPIKey `json:"items"`
}
