package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConditionEffective is True while every part of an AccessPolicy binds somebody.
const ConditionEffective = "Effective"

// Reasons of an AccessPolicy. RoleNotFound, RoleNotShared and RoleNotReady are
// shared with AgentAPIKey, Shadowed with AIAgentRole.
const (
	// ReasonNotHonouredHere: the policy, or a part of it, counts only in the namespace that the message names.
	ReasonNotHonouredHere = "NotHonouredHere"
	// ReasonAppNotFound: Okta knows no app of that label or id.
	ReasonAppNotFound = "AppNotFound"
	// ReasonAppAmbiguous: Okta knows several apps of that label; give the id.
	ReasonAppAmbiguous = "AppAmbiguous"
	// ReasonAppNotAllowed: neither the configuration nor a ceiling lets this namespace govern the app.
	ReasonAppNotAllowed = "AppNotAllowed"
	// ReasonAppConflict: an older AccessPolicy governs the app already.
	ReasonAppConflict = "AppConflict"
	// ReasonNetworkZoneNotFound: Okta knows no network zone of that name.
	ReasonNetworkZoneNotFound = "NetworkZoneNotFound"
	// ReasonDeviceAssuranceNotFound: Okta knows no device assurance policy of that name.
	ReasonDeviceAssuranceNotFound = "DeviceAssuranceNotFound"
	// ReasonInvalidSelector: a label selector cannot be read.
	ReasonInvalidSelector = "InvalidSelector"
	// ReasonKeyNotFound: a key that is named as a target does not exist; the others are cut off.
	ReasonKeyNotFound = "KeyNotFound"
	// ReasonTooManyTargets: the selector matches more keys than maxTargets; none of them was cut off.
	ReasonTooManyTargets = "TooManyTargets"
	// ReasonCeilingExceeded: more is asked for than a ceiling allows. Also a reason of AgentAPIKey.
	ReasonCeilingExceeded = "CeilingExceeded"
	// ReasonQuarantined: a Quarantine has cut the key off. A reason of AgentAPIKey only.
	ReasonQuarantined = "Quarantined"
)

// Reasons of Effective.
const (
	// ReasonEverythingBinds: every part of the policy binds somebody.
	ReasonEverythingBinds = "EverythingBinds"
	// ReasonNoSubjects: the roles have no people (signIn) or no keys (agents), or the selector matches nothing.
	ReasonNoSubjects = "NoSubjects"
	// ReasonConditionNotSupported: the org cannot check one of the conditions, for example because it is no Identity Engine org.
	ReasonConditionNotSupported = "ConditionNotSupported"
)

// PolicyType says what an AccessPolicy does.
//
// +kubebuilder:validation:Enum=Conditional;Ceiling;Quarantine
type PolicyType string

// The types of AccessPolicy.
const (
	// PolicyConditional says under which conditions people and agents get access.
	PolicyConditional PolicyType = "Conditional"
	// PolicyCeiling says what namespaces may ask for at most.
	PolicyCeiling PolicyType = "Ceiling"
	// PolicyQuarantine cuts keys off.
	PolicyQuarantine PolicyType = "Quarantine"
)

// Requirement says whether something must be there.
//
// +kubebuilder:validation:Enum=Required;Optional
type Requirement string

// The requirements.
const (
	RequirementRequired Requirement = "Required"
	RequirementOptional Requirement = "Optional"
)

// AccessPolicySpec is what the policy should be.
//
// +union
// +kubebuilder:validation:XValidation:rule="self.type == 'Conditional' ? has(self.conditional) : !has(self.conditional)",message="spec.conditional is required when spec.type is Conditional, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'Ceiling' ? has(self.ceiling) : !has(self.ceiling)",message="spec.ceiling is required when spec.type is Ceiling, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == 'Quarantine' ? has(self.quarantine) : !has(self.quarantine)",message="spec.quarantine is required when spec.type is Quarantine, and forbidden otherwise"
// +kubebuilder:validation:XValidation:rule="self.type == oldSelf.type",message="spec.type cannot be changed: create another AccessPolicy, then delete this one"
type AccessPolicySpec struct {
	// type is Conditional, Ceiling or Quarantine. It cannot be changed.
	// +unionDiscriminator
	// +required
	Type PolicyType `json:"type,omitempty"`

	// conditional says under which conditions the people and agents of some roles
	// get access.
	// +optional
	Conditional *ConditionalPolicy `json:"conditional,omitempty"`

	// ceiling says what the keys and policies of some namespaces may ask for at
	// most. It counts only in the operator's own namespace.
	// +optional
	Ceiling *CeilingPolicy `json:"ceiling,omitempty"`

	// quarantine cuts keys off until this AccessPolicy is deleted. It counts only
	// in the incident namespace of the operator's configuration.
	// +optional
	Quarantine *QuarantinePolicy `json:"quarantine,omitempty"`
}

// ConditionalPolicy says under which conditions the people and agents of some
// roles get access.
//
// +kubebuilder:validation:XValidation:rule="has(self.signIn) || has(self.agents)",message="give signIn (for people), agents (for agents) or both: the policy would do nothing"
// +kubebuilder:validation:XValidation:rule="!has(self.signIn) || self.signIn.rules.all(r, !has(r.roleRefs) || r.roleRefs.all(x, self.roleRefs.exists(y, x.name == y.name && has(x.__namespace__) == has(y.__namespace__) && (!has(x.__namespace__) || x.__namespace__ == y.__namespace__))))",message="signIn.rules may name only roles that roleRefs names: add the role to roleRefs, written the same way"
type ConditionalPolicy struct {
	// roleRefs are the roles whose people and agents the policy binds.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="roleRefs names a role twice: remove one"
	RoleRefs []RoleReference `json:"roleRefs,omitempty"`

	// signIn says how people who hold the roles sign in to apps; nothing is said
	// about people when absent.
	// +optional
	SignIn *SignInPolicy `json:"signIn,omitempty"`

	// agents says how agents with the roles get tokens; nothing is said about
	// agents when absent.
	// +optional
	Agents *AgentConditions `json:"agents,omitempty"`
}

// SignInPolicy says how people sign in to apps. Whoever no rule matches is refused.
type SignInPolicy struct {
	// apps are the Okta apps the policy governs. It replaces the policy an app
	// had, which is put back when this AccessPolicy is deleted. An app can be
	// governed by one AccessPolicy only, and only where the operator's
	// configuration or a ceiling allows the namespace to govern it.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="apps names an app twice: remove one"
	Apps []AppReference `json:"apps,omitempty"`

	// rules are tried in their order; the first that matches decides.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="two of rules have the same name: rename one"
	Rules []SignInRule `json:"rules,omitempty"`
}

// AppReference points at one app of Okta.
//
// +kubebuilder:validation:ExactlyOneOf=label;id
type AppReference struct {
	// label of the app, as Okta's console shows it. Several apps can have one
	// label; such a label is refused, and id must be given.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	Label string `json:"label,omitempty"`

	// id of the app in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	ID string `json:"id,omitempty"`
}

// SignInRule lets people in, under conditions, with a proof.
type SignInRule struct {
	// name of the rule, unique in the policy; shown in Okta.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// roleRefs narrow the rule to some of the policy's roles; all when absent.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	RoleRefs []RoleReference `json:"roleRefs,omitempty"`

	// when says in which situations the rule matches; in every one when absent.
	// +optional
	When *SignInConditions `json:"when,omitempty"`

	// with says what people must prove; two factors of any kind when absent.
	// +optional
	With *SignInProof `json:"with,omitempty"`
}

// SignInConditions are met together: all that are given must hold.
//
// +kubebuilder:validation:MinProperties=1
type SignInConditions struct {
	// device says what the person's device must be.
	// +optional
	Device *DeviceCondition `json:"device,omitempty"`

	// networkZones says from where.
	// +optional
	NetworkZones *NetworkZones `json:"networkZones,omitempty"`

	// riskLevels are the levels of risk, as Okta sees them, at which the rule matches.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	RiskLevels []RiskLevel `json:"riskLevels,omitempty"`

	// platforms are the operating systems on which the rule matches.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Platforms []Platform `json:"platforms,omitempty"`
}

// RiskLevel is Okta's estimate of the risk of a sign-in.
//
// +kubebuilder:validation:Enum=Low;Medium;High
type RiskLevel string

// The levels of risk.
const (
	RiskLow    RiskLevel = "Low"
	RiskMedium RiskLevel = "Medium"
	RiskHigh   RiskLevel = "High"
)

// Platform is an operating system, as Okta tells them apart.
//
// +kubebuilder:validation:Enum=Android;ChromeOS;IOS;Linux;MacOS;Windows;Other
type Platform string

// The platforms.
const (
	PlatformAndroid  Platform = "Android"
	PlatformChromeOS Platform = "ChromeOS"
	PlatformIOS      Platform = "IOS"
	PlatformLinux    Platform = "Linux"
	PlatformMacOS    Platform = "MacOS"
	PlatformWindows  Platform = "Windows"
	PlatformOther    Platform = "Other"
)

// NetworkZones names network zones of Okta.
//
// +kubebuilder:validation:XValidation:rule="has(self.allow) != has(self.deny)",message="give exactly one of networkZones.allow and networkZones.deny: Okta takes either"
type NetworkZones struct {
	// allow names the zones from which access is possible, and from no others.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Allow []NetworkZoneName `json:"allow,omitempty"`

	// deny names the zones from which access is impossible; it is possible from
	// all others.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Deny []NetworkZoneName `json:"deny,omitempty"`
}

// NetworkZoneName is the name of a network zone of Okta.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
type NetworkZoneName string

// SignInProof says what people must prove to sign in.
//
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !has(self.factorMode) || self.factorMode == 'TwoFactors'",message="with.properties constrain the second factor: set with.factorMode to TwoFactors, or remove properties"
// +kubebuilder:validation:XValidation:rule="!has(self.factors) || !has(self.factorMode) || self.factorMode == 'TwoFactors'",message="with.factors are second factors: set with.factorMode to TwoFactors, or remove factors"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || !has(self.factors) || !self.properties.exists(p, p == 'PhishingResistant') || self.factors.exists(f, f == 'WebAuthn')",message="none of with.factors is phishing resistant: add WebAuthn to factors, or remove PhishingResistant from properties"
type SignInProof struct {
	// factorMode is TwoFactors, as when it is absent, or OneFactor.
	// +optional
	FactorMode FactorMode `json:"factorMode,omitempty"`

	// factors are the second factors that count; all that the org has when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Factors []Factor `json:"factors,omitempty"`

	// properties are what the second factor must be; all that are given must hold.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Properties []FactorProperty `json:"properties,omitempty"`

	// reauthenticateAfter is how long a proof lasts, whatever the person does, in
	// whole minutes up to 720h; 0s asks at each sign-in. Okta's default, 2h, when
	// absent.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('720h') && duration(self).getSeconds() % 60 == 0",message="reauthenticateAfter must be whole minutes from 0s (at each sign-in) to 720h"
	ReauthenticateAfter *metav1.Duration `json:"reauthenticateAfter,omitempty"`
}

// FactorMode says how many factors people must show.
//
// +kubebuilder:validation:Enum=OneFactor;TwoFactors
type FactorMode string

// The factor modes.
const (
	FactorModeOne FactorMode = "OneFactor"
	FactorModeTwo FactorMode = "TwoFactors"
)

// FactorProperty is a property of a second factor.
//
// +kubebuilder:validation:Enum=PhishingResistant;HardwareProtected;DeviceBound;UserPresence;UserVerification
type FactorProperty string

// The properties of factors.
const (
	// FactorPhishingResistant: the factor is bound to the site it was made for.
	FactorPhishingResistant FactorProperty = "PhishingResistant"
	// FactorHardwareProtected: its key cannot leave the device.
	FactorHardwareProtected FactorProperty = "HardwareProtected"
	// FactorDeviceBound: it lives on one device.
	FactorDeviceBound FactorProperty = "DeviceBound"
	// FactorUserPresence: the person must act.
	FactorUserPresence FactorProperty = "UserPresence"
	// FactorUserVerification: the person must show a PIN or a biometric trait.
	FactorUserVerification FactorProperty = "UserVerification"
)

// AgentConditions say how agents get tokens. Device posture is not among them: a
// pod is no device of Okta's.
//
// +kubebuilder:validation:MinProperties=1
type AgentConditions struct {
	// tokenLifetime is how long an access token lasts, in whole minutes from 5m to
	// 24h; the operator's configuration decides when absent. It is also how long a
	// token outlives the key's end.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5m') && duration(self) <= duration('24h') && duration(self).getSeconds() % 60 == 0",message="tokenLifetime must be whole minutes from 5m to 24h"
	TokenLifetime *metav1.Duration `json:"tokenLifetime,omitempty"`

	// networkZones says from where agents may ask for tokens.
	// +optional
	NetworkZones *NetworkZones `json:"networkZones,omitempty"`

	// dpop says whether tokens must be bound to a key that the agent proves to
	// hold (RFC 9449); Optional when absent.
	// +optional
	DPoP Requirement `json:"dpop,omitempty"`
}

// AccessPolicy limits access of people and agents.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=accesspolicies,shortName=aap,categories=agentidentity
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Effective",type=string,JSONPath=`.status.conditions[?(@.type=="Effective")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AccessPolicy struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the policy should be.
	// +required
	Spec AccessPolicySpec `json:"spec,omitzero"`

	// status is what the operator found and did. Its default tells kstatus that an
	// object nobody has looked at yet is in progress.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccessPolicyStatus `json:"status,omitzero"`
}

// AccessPolicyList is a list of AccessPolicies.
//
// +kubebuilder:object:root=true
type AccessPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AccessPolicy `json:"items"`
}
