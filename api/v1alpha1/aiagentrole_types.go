package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PermissionName is the name of an OAuth 2.0 scope (RFC 6749, section 3.3) without
// quotes, backslashes and commas. Names that OpenID Connect reserves are refused. Names
// that begin with "okta." are no scopes: they are permissions to administer Okta itself,
// for the people of the role's group. They are refused unless the operator's
// configuration allows them (okta.adminPermissions), and at once when their holder could
// gain more by them.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=100
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9][A-Za-z0-9_.:/-]*$')",message="this is no name of a permission; use letters, digits and any of '_.:/-', begin with a letter or digit, without blanks, such as 'read_ai_logs'"
// +kubebuilder:validation:XValidation:rule="!(self in ['openid','profile','email','address','phone','offline_access','device_sso','interclient_access'])",message="this name is reserved by OpenID Connect; choose another, for example with a prefix such as 'agents:'"
// +kubebuilder:validation:XValidation:rule="!self.startsWith('okta.') || self in ['okta.agents.read','okta.apps.read','okta.apps.universalLogout.read','okta.authzServers.read','okta.customizations.read','okta.devices.read','okta.directories.read','okta.groups.read','okta.policies.read','okta.realms.read','okta.users.read','okta.users.risk.read','okta.users.userprofile.read','okta.workflows.read']",message="permissions that begin with 'okta.' administer the Okta org itself and are refused; grant agents scopes of their own. Only those by which nobody can gain more, such as 'okta.users.read', can be given to people, where the operator's configuration allows them"
type PermissionName string

// Permission is one thing the role allows. It becomes one OAuth scope on the
// operator's authorization server; roles that name the same permission share it. One
// that begins with "okta." becomes a part of a custom admin role instead.
type Permission struct {
	// name is the scope as it appears in the agent's tokens.
	// +required
	Name PermissionName `json:"name,omitempty"`

	// description tells a person what the scope allows; shown in Okta's console.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Description string `json:"description,omitempty"`
}

// Login is the Okta login of a person, most often an e-mail address.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=100
type Login string

// Members are the people who hold the role.
//
// +kubebuilder:validation:MinProperties=1
type Members struct {
	// users are Okta logins. A login that Okta does not know is reported by name.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Users []Login `json:"users,omitempty"`
}

// Factor is a second factor of Okta.
//
// +kubebuilder:validation:Enum=Push;SMS;TOTP;WebAuthn;Email
type Factor string

// The factors.
const (
	FactorPush     Factor = "Push"
	FactorSMS      Factor = "SMS"
	FactorTOTP     Factor = "TOTP"
	FactorWebAuthn Factor = "WebAuthn"
	FactorEmail    Factor = "Email"
)

// MFA says which second factors the members of the role need.
//
// +kubebuilder:validation:XValidation:rule="!has(self.phoneNumbersSecretRef) || self.factors.exists(f, f == 'SMS')",message="phoneNumbersSecretRef is about text messages: add SMS to factors, or remove phoneNumbersSecretRef"
type MFA struct {
	// factors are the second factors every member must have, in no order.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Factors []Factor `json:"factors,omitempty"`

	// enroll says whether the operator starts the enrolment of a missing factor
	// (Start), or only reports what is missing (Watch, the default). Push: Okta mails the
	// person a link, once a day until they have followed it. SMS and Email: the number or
	// address in the person's Okta profile is enrolled at once; phoneNumbersSecretRef may
	// say other numbers. TOTP and WebAuthn people
	// set up themselves, at a sign-in.
	// +optional
	// +default="Watch"
	Enroll EnrollMode `json:"enroll,omitempty"`

	// phoneNumbersSecretRef names a Secret in the role's namespace with the phone numbers of
	// members. Of whom it has none, and when absent, the number in the Okta profile counts.
	// A key is a login in small letters, with '_' for whatever is no letter from a to z,
	// digit, '-' or '.': ada_example.com for ada@example.com. A value is a number in
	// E.164 form: '+' and 8 to 15 digits. A number that is not in the person's Okta profile
	// is sent a code, and counts once the person has entered it.
	// +optional
	PhoneNumbersSecretRef *SecretReference `json:"phoneNumbersSecretRef,omitempty"`
}

// EnrollMode says what is done about a missing factor.
//
// +kubebuilder:validation:Enum=Start;Watch
type EnrollMode string

// The enrolment modes.
const (
	EnrollStart EnrollMode = "Start"
	EnrollWatch EnrollMode = "Watch"
)

// ShareFrom says the keys of which namespaces may use a role.
//
// +kubebuilder:validation:Enum=Same;Selected;All
type ShareFrom string

// The ways to share.
const (
	ShareSame     ShareFrom = "Same"
	ShareSelected ShareFrom = "Selected"
	ShareAll      ShareFrom = "All"
)

// Sharing opens a role to keys of other namespaces.
//
// +union
// +kubebuilder:validation:XValidation:rule="self.from == 'Selected' ? has(self.namespaceSelector) : !has(self.namespaceSelector)",message="namespaceSelector is required when from is Selected, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="!has(self.namespaceSelector) || (has(self.namespaceSelector.matchLabels) && self.namespaceSelector.matchLabels.size() > 0) || (has(self.namespaceSelector.matchExpressions) && self.namespaceSelector.matchExpressions.size() > 0)",message="an empty namespaceSelector would select all namespaces; give matchLabels or matchExpressions, or say from: All"
type Sharing struct {
	// from is Same (the default: only keys of the role's own namespace), Selected
	// (keys of namespaces whose labels match) or All.
	// +unionDiscriminator
	// +required
	From ShareFrom `json:"from,omitempty"`

	// namespaceSelector selects the namespaces whose keys may use the role, by
	// their labels. Whoever may label a namespace decides about it.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
}

// AIAgentRoleSpec is what the role should be.
//
// +kubebuilder:validation:XValidation:rule="!has(self.mfa) || has(self.members)",message="mfa is about the people whom members names: give members, or remove mfa"
type AIAgentRoleSpec struct {
	// displayName is the role's name for people, shown in Okta. Defaults to the object's name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName,omitempty"`

	// description tells people what the role is for; shown in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	Description string `json:"description,omitempty"`

	// permissions are what agents with this role may do: exactly these scopes can
	// be in their tokens, and no others. Those that begin with "okta." are for the people of
	// the role's group, and never in a token of an agent's.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Permissions []Permission `json:"permissions,omitempty"`

	// members are the people who hold the role: exactly they are in its group in Okta.
	// Without it people in Okta say who is in the group. Who was named here leaves the
	// group when the field is removed.
	// +optional
	Members *Members `json:"members,omitempty"`

	// mfa says which second factors the members need.
	// +optional
	MFA *MFA `json:"mfa,omitempty"`

	// shareWith opens the role to keys of other namespaces. By default only keys
	// of the role's own namespace may use it.
	// +optional
	ShareWith *Sharing `json:"shareWith,omitempty"`
}

// AIAgentRoleStatus is what the operator found and did.
//
// +kubebuilder:validation:MinProperties=1
type AIAgentRoleStatus struct {
	// observedGeneration is the generation of the spec the status speaks of; -1
	// before the operator has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready and PermissionsReady (always), FactorsEnrolled (with spec.mfa),
	// Reconciling and Stalled (only while true). FactorsEnrolled is True (AllEnrolled) when
	// every member has every factor, else False (FactorsMissing); Ready does not wait for
	// it. PermissionsReady is True while what agents need of the role stands in
	// Okta, whatever is wrong about its people; it has the same reasons as Ready.
	// Reasons of Ready: Ready, Progressing, ReservedPermission, Shadowed,
	// UnknownMembers, CeilingExceeded, DeactivatedInDirectory, and those of Okta: AuthenticationFailed, PermissionDenied, FeatureUnavailable,
	// UnsafeOrganizationSetting, DirectoryUnreachable, DirectoryError, Throttled,
	// InvalidRequest, DirectoryConflict, WaitingForDirectory.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// groupID is the id of the role's group in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	GroupID string `json:"groupID,omitempty"`

	// issuer is the authorization server that issues tokens for the role.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`

	// members are the people whom spec.members names.
	// +optional
	// +listType=map
	// +listMapKey=login
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Members []MemberStatus `json:"members,omitempty"`

	// keys is how many AgentAPIKeys the role's access policy lists in Okta.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Keys *int32 `json:"keys,omitempty"`

	// appliedRevision changes whenever what Okta holds for the role changes: its
	// permissions, token lifetime or keys.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AppliedRevision string `json:"appliedRevision,omitempty"`
}

// MemberStatus is one of the people whom a role names.
type MemberStatus struct {
	// login is the person's, as Okta compares it: in lower case.
	// +required
	Login Login `json:"login,omitempty"`

	// state is Member (in the role's group), Inactive (in the group, but suspended or
	// not yet activated in Okta), Pending (to be put into the group), Unknown (Okta
	// knows no such person, or has deactivated them) or NotAllowed (a Ceiling does not
	// let the namespace name them).
	// +required
	State MemberState `json:"state,omitempty"`

	// factors are those that spec.mfa asks for.
	// +optional
	// +listType=map
	// +listMapKey=factor
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Factors []FactorStatus `json:"factors,omitempty"`
}

// FactorStatus tells how far a member is with a second factor.
type FactorStatus struct {
	// factor is what is asked for.
	// +required
	Factor Factor `json:"factor,omitempty"`

	// state is NotEnrolled, Pending (begun, and the person has something to do) or Active.
	// +required
	State FactorState `json:"state,omitempty"`
}

// FactorState says how far the enrolment of a factor is.
//
// +kubebuilder:validation:Enum=NotEnrolled;Pending;Active
type FactorState string

// The states of factors.
const (
	FactorStateNotEnrolled FactorState = "NotEnrolled"
	FactorStatePending     FactorState = "Pending"
	FactorStateActive      FactorState = "Active"
)

// MemberState says how far a person has become a member.
//
// +kubebuilder:validation:Enum=Member;Inactive;Pending;Unknown;NotAllowed
type MemberState string

// The states of members.
const (
	MemberStateMember   MemberState = "Member"
	MemberStateInactive MemberState = "Inactive"
	MemberStatePending  MemberState = "Pending"
	MemberStateUnknown  MemberState = "Unknown"
	MemberStateRefused  MemberState = "NotAllowed"
)

// AIAgentRole is a set of permissions for AI agents: in Okta a group, one OAuth
// scope per permission and one access policy that lists every AgentAPIKey bound
// to the role.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=aiagentroles,shortName=aiar,categories=agentidentity
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Keys",type=integer,JSONPath=`.status.keys`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AIAgentRole struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the role should be.
	// +required
	Spec AIAgentRoleSpec `json:"spec,omitzero"`

	// status is what the operator found and did. Its default tells kstatus that an
	// object nobody has looked at yet is in progress.
	// +optional
	// +default={"observedGeneration":-1}
	Status AIAgentRoleStatus `json:"status,omitzero"`
}

// AIAgentRoleList is a list of AIAgentRoles.
//
// +kubebuilder:object:root=true
type AIAgentRoleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AIAgentRole `json:"items"`
}
