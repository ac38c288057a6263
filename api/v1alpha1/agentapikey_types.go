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

// DeletionPolicy says what becomes of the client in Okta when the key is deleted.
//
// +kubebuilder:validation:Enum=Delete;Retain;Deactivate
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionDelete deactivates the client and deletes it.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionRetain leaves the client, its credentials and the published Secret to
	// people. It has no permissions any more, for the role's policy lists only keys.
	DeletionRetain DeletionPolicy = "Retain"
	// DeletionDeactivate deactivates the client and leaves it, for whoever looks into
	// what it did.
	DeletionDeactivate DeletionPolicy = "Deactivate"
)

// DriftPolicy says what is done about a change that somebody made in Okta.
//
// +kubebuilder:validation:Enum=Enforce;Report
type DriftPolicy string

// The drift policies.
const (
	// DriftEnforce undoes the change; a credential of the key that was removed is replaced
	// by a new one. A client that was deactivated or deleted stays so, and a credential
	// that somebody added is told of and not removed.
	DriftEnforce DriftPolicy = "Enforce"
	// DriftReport changes nothing and says what is different. The key works on, unless
	// its credential was removed: then a rotation on request replaces it.
	DriftReport DriftPolicy = "Report"
)

// Adoption takes over a client that exists in Okta already.
type Adoption struct {
	// clientID of the client to take over: an OIDC service app that no living key has.
	// The app's notes for administrators must have the line
	// adoptable-by=agent-identity-operator;cluster=CLUSTER-ID;ref=AgentAPIKey/NAMESPACE/NAME,
	// unless a key of the same namespace left it behind. It is found when the client id
	// is the app's id, as Okta chooses it, or when the operator made the app.
	// +required
	// +kubebuilder:validation:MinLength=6
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9$_.+!*'(),-]+$`
	ClientID string `json:"clientID,omitempty"`
}

// AgentAPIKeySpec is what the key should be.
//
// +kubebuilder:validation:XValidation:rule="(has(self.delivery) ? self.delivery : 'PrivateKeyJWT') == (has(oldSelf.delivery) ? oldSelf.delivery : 'PrivateKeyJWT')",message="delivery cannot be changed: a client authenticates in one way, and changing it would leave a moment without a working credential; create a second key and move the agent"
// +kubebuilder:validation:XValidation:rule="(has(self.secret.preset) && self.secret.preset == 'ServiceBinding') == (has(oldSelf.secret.preset) && oldSelf.secret.preset == 'ServiceBinding')",message="preset cannot be changed to or from ServiceBinding: Kubernetes does not let the type of a Secret change; create a second key and move the agent"
// +kubebuilder:validation:XValidation:rule="!has(self.restartTargets) || !has(self.delivery) || self.delivery != 'AccessToken'",message="restartTargets cannot be used with delivery AccessToken: the Secret changes every few minutes; remove restartTargets and let the agent read the file anew"
// +kubebuilder:validation:XValidation:rule="self.secret.name == oldSelf.secret.name",message="secret.name cannot be changed: pods mount the Secret by its name; create a second key and move the agent"
// +kubebuilder:validation:XValidation:rule="(has(self.adopt) ? self.adopt.clientID : 'none') == (has(oldSelf.adopt) ? oldSelf.adopt.clientID : 'none')",message="adopt cannot be changed: a key has one client for life; create a second key"
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

	// rotation says when the credential is replaced; never by itself when absent. The
	// annotation agentidentity.dev/rotate replaces it once for each new value.
	// +optional
	Rotation *Rotation `json:"rotation,omitempty"`

	// expiresAt is when the key is suspended, as by state. It is never deleted by time;
	// a later expiresAt lets the agent in again. The condition Expiring warns for 14
	// days before.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:Pattern=`^[0-9-]{10}T[0-9:]{8}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// state is Active (the default), or Suspended: no token is issued until it is
	// Active again. The Secret stays, so that the agent goes on then; access tokens
	// that the operator obtained are revoked.
	// +optional
	State KeyState `json:"state,omitempty"`

	// restartTargets are workloads of the key's namespace that read the Secret only when
	// they start. They are restarted once after each change of the Secret's data but the
	// first, together for the keys that name the same one. Not with delivery AccessToken.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	RestartTargets []RestartTarget `json:"restartTargets,omitempty"`

	// deletionPolicy says what becomes of the client in Okta, an adopted one too, when
	// the key is deleted; Delete when absent.
	// +optional
	// +default="Delete"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// driftPolicy says what is done about a change that somebody made in Okta;
	// Enforce when absent.
	// +optional
	DriftPolicy DriftPolicy `json:"driftPolicy,omitempty"`

	// adopt takes over a client that exists in Okta already, with its client id. The
	// credentials it has stay, and are told of; the key gets a new one.
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

	// conditions are Ready (always), Reconciling and Stalled (only while true), and
	// Expiring, ForeignCredential, OldCredentialInUse and RestartPending (only while true).
	// Reasons of Ready: Ready, Progressing, RoleNotFound, RoleNotShared, RoleNotReady,
	// WaitingForRole, Suspended, Expired, SecretConflict, TokenRefused,
	// Drifted, InvalidSpec, CredentialLimit, AdoptionFailed, DeletionHeld, TombstoneNotKept,
	// DeactivatedInDirectory, DeletedInDirectory,
	// RevokedInDirectory, and those of Okta: AuthenticationFailed,
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

	// credentialCreatedAt is when that credential was made.
	// +optional
	CredentialCreatedAt *metav1.Time `json:"credentialCreatedAt,omitempty"`

	// nextRotationAt is when it is replaced by age, the windows taken into account.
	// +optional
	NextRotationAt *metav1.Time `json:"nextRotationAt,omitempty"`

	// rotateRequest is the value of the annotation agentidentity.dev/rotate that was
	// carried out last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	RotateRequest string `json:"rotateRequest,omitempty"`

	// retiringKeyIDs name earlier credentials that Okta still takes.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=100
	RetiringKeyIDs []string `json:"retiringKeyIDs,omitempty"`

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
