package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConditionCaughtUp is a condition of an AuditSink: True while the receiver has
// acknowledged every event that Okta showed five minutes ago or earlier. Its
// reasons are those of "Reasons of CaughtUp".
const ConditionCaughtUp = "CaughtUp"

// LabelAuditOutput is, with the value "true", on each Secret that an AuditSink may name: whoever
// writes AuditSinks says where values are sent, and need not be allowed to read Secrets.
const LabelAuditOutput = "agentidentity.dev/audit-output"

// MaxAuditSinks is how many AuditSinks of one namespace other than the operator's are
// followed, the oldest first.
const MaxAuditSinks = 20

// Reasons of an AuditSink.
const (
	// ReasonInvalidExpression: a filter or detection is no valid CEL expression, or costs too much.
	ReasonInvalidExpression = "InvalidExpression"
	// ReasonCredentialsNotFound: a Secret or ConfigMap that output names, or its key, does not exist.
	ReasonCredentialsNotFound = "CredentialsNotFound"
	// ReasonCredentialsNotAllowed: a Secret that output names has not the label
	// LabelAuditOutput, or holds an agent's credential.
	ReasonCredentialsNotAllowed = "CredentialsNotAllowed"
	// ReasonTooManySinks: there are MaxAuditSinks older ones in the namespace.
	ReasonTooManySinks = "TooManySinks"
	// ReasonEndpointNotAllowed: the endpoint is in a network the operator does not send to.
	ReasonEndpointNotAllowed = "EndpointNotAllowed"
	// ReasonSinkUnreachable: no answer comes from the receiver.
	ReasonSinkUnreachable = "SinkUnreachable"
	// ReasonSinkRefused: the receiver refuses the operator's credentials.
	ReasonSinkRefused = "SinkRefused"
	// ReasonEventsRejected: the receiver refuses single events; they were set aside.
	ReasonEventsRejected = "EventsRejected"
	// ReasonSinceTooOld: since is older than what Okta keeps; reading began at startedAt.
	ReasonSinceTooOld = "SinceTooOld"
)

// Reasons of CaughtUp.
const (
	// ReasonUpToDate: nothing older than five minutes is outstanding.
	ReasonUpToDate = "UpToDate"
	// ReasonReadingHistory: events since the beginning are being read.
	ReasonReadingHistory = "ReadingHistory"
	// ReasonBehind: the receiver or Okta is slower than the events.
	ReasonBehind = "Behind"
	// ReasonNotSending: nothing is sent while Ready is False.
	ReasonNotSending = "NotSending"
)

// AuditSinkSpec is what the sink should be.
//
// +kubebuilder:validation:XValidation:rule="has(self.since) == has(oldSelf.since) && (!has(self.since) || self.since == oldSelf.since)",message="spec.since cannot be changed, for the events are on their way: create another AuditSink that begins elsewhere"
type AuditSinkSpec struct {
	// events says which events are sent; all that the namespace may see when
	// absent. A sink in the operator's namespace may see all, one elsewhere those
	// of the AgentAPIKeys and AIAgentRoles of its own namespace.
	// +optional
	Events *EventSelection `json:"events,omitempty"`

	// since is the time from which events are sent: now when absent, 90 days ago at
	// most, for Okta keeps no more. It cannot be changed.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:Pattern=`^[0-9-]{10}T[0-9:]{8}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	Since *metav1.Time `json:"since,omitempty"`

	// output is the receiver.
	// +required
	Output AuditOutput `json:"output,omitzero"`

	// format is Raw (the default: Okta's own event, with ours beside it) or OCSF.
	// +optional
	// +default="Raw"
	Format AuditFormat `json:"format,omitempty"`

	// detections watch the events and react.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Detections []Detection `json:"detections,omitempty"`
}

// EventSelection says which events are sent. Detections see the same events.
//
// +kubebuilder:validation:MinProperties=1
type EventSelection struct {
	// categories of events; all when absent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Categories []EventCategory `json:"categories,omitempty"`

	// filter is a CEL expression over event (Okta's own) and agent (namespace,
	// name, role, owners; absent where no agent is concerned); true sends the event.
	// +optional
	Filter CELExpression `json:"filter,omitempty"`
}

// CELExpression is an expression of the Common Expression Language that yields a
// bool. Whether it can be compiled is said by the Ready condition.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=4096
type CELExpression string

// EventCategory is a group of Okta's event types.
//
// +kubebuilder:validation:Enum=Token;Client;AuthorizationServer;Policy;RoleAndGroup;SignIn;Threat;Auditing;Operator;Other
type EventCategory string

// The categories.
const (
	// CategoryToken: tokens granted, refused and revoked.
	CategoryToken EventCategory = "Token"
	// CategoryClient: clients and their credentials made, changed, read and removed.
	CategoryClient EventCategory = "Client"
	// CategoryAuthorizationServer: authorization servers, their scopes, claims and keys.
	CategoryAuthorizationServer EventCategory = "AuthorizationServer"
	// CategoryPolicy: policies and rules.
	CategoryPolicy EventCategory = "Policy"
	// CategoryRoleAndGroup: groups, members and admin privileges.
	CategoryRoleAndGroup EventCategory = "RoleAndGroup"
	// CategorySignIn: sessions of people, and their factors.
	CategorySignIn EventCategory = "SignIn"
	// CategoryThreat: what Okta thinks is an attack.
	CategoryThreat EventCategory = "Threat"
	// CategoryAuditing: log streams, event hooks and API tokens of the org.
	CategoryAuditing EventCategory = "Auditing"
	// CategoryOperator: what this operator did, and what it refused to do.
	CategoryOperator EventCategory = "Operator"
	// CategoryOther: everything else.
	CategoryOther EventCategory = "Other"
)

// AuditFormat is the form in which events are sent.
//
// +kubebuilder:validation:Enum=Raw;OCSF
type AuditFormat string

// The formats.
const (
	FormatRaw  AuditFormat = "Raw"
	FormatOCSF AuditFormat = "OCSF"
)

// Detection watches the events and reacts.
//
// +kubebuilder:validation:XValidation:rule="has(self.rule) != has(self.expression)",message="give exactly one of rule (built in) and expression (your own)"
// +kubebuilder:validation:XValidation:rule="self.response == 'Notify' ? !has(self.maxActionsPerHour) && !has(self.mode) : has(self.maxActionsPerHour)",message="maxActionsPerHour is required when response is Rotate or Suspend; with response Notify remove maxActionsPerHour and mode"
// +kubebuilder:validation:XValidation:rule="self.response == 'Notify' || !has(self.rule) || !(self.rule in ['OperatorCredentialElsewhere','AuditBlinded','ConfigurationTampered','PrivilegeGranted','ScopeProbing'])",message="what this rule sees proves nobody to hold the agent's credential, or names no single agent: its only response is Notify"
type Detection struct {
	// name of the detection, unique in the sink.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// rule is a rule that is built in.
	// +optional
	Rule DetectionRule `json:"rule,omitempty"`

	// expression is your own rule, over the same variables as events.filter.
	// +optional
	Expression CELExpression `json:"expression,omitempty"`

	// threshold is how often the rule must match, for one agent; once when absent.
	// +optional
	Threshold *Threshold `json:"threshold,omitempty"`

	// response is Notify (the default: an event and a condition), Rotate (the
	// agent's credential is replaced) or Suspend (its tokens end). Rotate and Suspend
	// answer only events that nobody can cause without holding the credential.
	// +optional
	// +default="Notify"
	Response DetectionResponse `json:"response,omitempty"`

	// maxActionsPerHour is how many agents are rotated or suspended in an hour at
	// most; beyond it the detection only notifies.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxActionsPerHour *int32 `json:"maxActionsPerHour,omitempty"`

	// mode is DryRun (the default: it is only told what would be done) or Act.
	// +optional
	Mode DetectionMode `json:"mode,omitempty"`
}

// DetectionRule is a rule that is built in.
//
// +kubebuilder:validation:Enum=UseAfterSuspension;UseOutsideZone;GhostUse;ForeignCredential;PrivilegeGranted;SecretRead;ConfigurationTampered;OperatorCredentialElsewhere;ScopeProbing;AuditBlinded
type DetectionRule string

// The rules that are built in.
const (
	// RuleUseAfterSuspension: a token was granted to a suspended key.
	RuleUseAfterSuspension DetectionRule = "UseAfterSuspension"
	// RuleUseOutsideZone: a token was granted from outside the allowed zone.
	RuleUseOutsideZone DetectionRule = "UseOutsideZone"
	// RuleGhostUse: a token was granted while no pod holds the Secret.
	RuleGhostUse DetectionRule = "GhostUse"
	// RuleForeignCredential: somebody else added a credential to an agent.
	RuleForeignCredential DetectionRule = "ForeignCredential"
	// RulePrivilegeGranted: somebody else granted an agent a privilege.
	RulePrivilegeGranted DetectionRule = "PrivilegeGranted"
	// RuleSecretRead: somebody read an agent's client secret in Okta.
	RuleSecretRead DetectionRule = "SecretRead"
	// RuleConfigurationTampered: somebody else changed what the operator keeps in Okta.
	RuleConfigurationTampered DetectionRule = "ConfigurationTampered"
	// RuleOperatorCredentialElsewhere: the operator's own credential was used elsewhere.
	RuleOperatorCredentialElsewhere DetectionRule = "OperatorCredentialElsewhere"
	// RuleScopeProbing: an agent asked for scopes it does not have.
	RuleScopeProbing DetectionRule = "ScopeProbing"
	// RuleAuditBlinded: the operator can no longer read the System Log in full.
	RuleAuditBlinded DetectionRule = "AuditBlinded"
)

// Threshold is how often a rule must match.
type Threshold struct {
	// count of matches, from 1 to 10000.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Count int32 `json:"count,omitempty"`

	// within is the time in which they must come, from 1s to 24h.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="threshold.within must be from 1s to 24h"
	Within metav1.Duration `json:"within,omitzero"`
}

// DetectionResponse is what is done when a rule matches.
//
// +kubebuilder:validation:Enum=Notify;Rotate;Suspend
type DetectionResponse string

// The responses, gentlest first.
const (
	ResponseNotify  DetectionResponse = "Notify"
	ResponseRotate  DetectionResponse = "Rotate"
	ResponseSuspend DetectionResponse = "Suspend"
)

// DetectionMode says whether the response is given or only told.
//
// +kubebuilder:validation:Enum=DryRun;Act
type DetectionMode string

// The modes.
const (
	ModeDryRun DetectionMode = "DryRun"
	ModeAct    DetectionMode = "Act"
)

// AuditSinkStatus is what the operator found and did.
//
// +kubebuilder:validation:MinProperties=1
type AuditSinkStatus struct {
	// observedGeneration is the generation of the spec the status speaks of; -1
	// before the operator has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready (always), Reconciling and Stalled (only while true), and
	// CaughtUp. How far the sink is behind, in seconds, is told by a metric.
	// Reasons of Ready: Ready, Progressing, Deleting, InvalidExpression,
	// CredentialsNotFound, CredentialsNotAllowed, TooManySinks, EndpointNotAllowed,
	// SinkUnreachable, SinkRefused, EventsRejected, SinceTooOld, and those of Okta:
	// AuthenticationFailed, PermissionDenied, DirectoryUnreachable, DirectoryError,
	// Throttled. Reasons of CaughtUp: UpToDate, ReadingHistory, Behind, NotSending.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// startedAt is the time from which events were in fact sent.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// lastDeliveredEventTime is when the last event that the receiver acknowledged
	// happened, in whole minutes; it is written once a minute at most.
	// +optional
	LastDeliveredEventTime *metav1.Time `json:"lastDeliveredEventTime,omitempty"`

	// gaps are the stretches of time of which events may have been lost. When there are
	// more than ten, two of one reason become one that spans both.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Gaps []AuditGap `json:"gaps,omitempty"`
}

// AuditGap is a stretch of time of which events may have been lost.
type AuditGap struct {
	// from is the time of the last event that was surely delivered.
	// +required
	From metav1.Time `json:"from,omitzero"`

	// to is the time from which events were surely delivered again.
	// +required
	To metav1.Time `json:"to,omitzero"`

	// reason why: RetentionExceeded (Okta had thrown the events away), CursorRejected
	// (Okta did not know where we were), SinkRejected (the receiver refused them) or
	// OperatorEventsDropped (of what the operator did itself: it waited too long).
	// +required
	Reason GapReason `json:"reason,omitempty"`
}

// GapReason says why events may have been lost.
//
// +kubebuilder:validation:Enum=RetentionExceeded;CursorRejected;SinkRejected;OperatorEventsDropped
type GapReason string

// The reasons of gaps.
const (
	GapRetentionExceeded     GapReason = "RetentionExceeded"
	GapCursorRejected        GapReason = "CursorRejected"
	GapSinkRejected          GapReason = "SinkRejected"
	GapOperatorEventsDropped GapReason = "OperatorEventsDropped"
)

// AuditSink sends the events of Okta's System Log that concern agents, and what the
// operator did itself, to one receiver, each at least once.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=auditsinks,shortName=aas,categories=agentidentity
// +kubebuilder:printcolumn:name="Output",type=string,JSONPath=`.spec.output.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Caught up",type=string,JSONPath=`.status.conditions[?(@.type=="CaughtUp")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AuditSink struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the sink should be.
	// +required
	Spec AuditSinkSpec `json:"spec,omitzero"`

	// status is what the operator found and did. Its default tells kstatus that an
	// object nobody has looked at yet is in progress.
	// +optional
	// +default={"observedGeneration":-1}
	Status AuditSinkStatus `json:"status,omitzero"`
}

// AuditSinkList is a list of AuditSinks.
//
// +kubebuilder:object:root=true
type AuditSinkList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AuditSink `json:"items"`
}
