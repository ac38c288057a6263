package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Condition types. Ready is always present. Reconciling and Stalled are present
// only while they are true, as kstatus expects
// (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
const (
	// ConditionReady is True when Okta, the Secret and this generation agree.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator is at work or waits for
	// something that will come by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True while nothing will change until a person acts.
	ConditionStalled = "Stalled"
)

// ConditionPermissionsReady of an AIAgentRole is True while what agents need of it stands
// in Okta. Keys wait for it, and not for the role's people.
const ConditionPermissionsReady = "PermissionsReady"

// ConditionFactorsEnrolled of an AIAgentRole with spec.mfa is True when every member has
// every factor. Ready does not wait for it: it is people's part.
const ConditionFactorsEnrolled = "FactorsEnrolled"

// Condition types of an AgentAPIKey, present only while they are true. They tell what
// people should look into; Ready does not wait for it.
const (
	// ConditionExpiring: the key is suspended soon, by spec.expiresAt.
	ConditionExpiring = "Expiring"
	// ConditionForeignCredential: the client takes a credential that is not the key's.
	ConditionForeignCredential = "ForeignCredential"
	// ConditionOldCredentialInUse: running pods have a credential that is about to end.
	ConditionOldCredentialInUse = "OldCredentialInUse" //nolint:gosec // a name, no credential
	// ConditionRestartPending: a workload of spec.restartTargets is not restarted yet.
	ConditionRestartPending = "RestartPending"
)

// Annotations a person puts on an AgentAPIKey.
const (
	// AnnotationRotate replaces the credential, once for each new value.
	AnnotationRotate = "agentidentity.dev/rotate"
	// AnnotationAbandon lets a key go that is being deleted while Okta cannot be asked.
	// Its value is the client id, so that it cannot be put on keys by the hundred unseen.
	AnnotationAbandon = "agentidentity.dev/abandon"
	// AnnotationConfirmDeletion, with the key's name for its value, lets the brake on
	// mass deletion pass a key.
	AnnotationConfirmDeletion = "agentidentity.dev/confirm-deletion"
)

// Reasons of Ready, Reconciling and Stalled that every kind may give.
const (
	// ReasonReady: everything agrees.
	ReasonReady = "Ready"
	// ReasonProgressing: the operator is at work.
	ReasonProgressing = "Progressing"
	// ReasonAuthenticationFailed: Okta refuses the operator's own credentials.
	ReasonAuthenticationFailed = "AuthenticationFailed"
	// ReasonPermissionDenied: the operator's credentials lack a scope or an admin role.
	ReasonPermissionDenied = "PermissionDenied"
	// ReasonFeatureUnavailable: the org lacks a product feature that is needed.
	ReasonFeatureUnavailable = "FeatureUnavailable"
	// ReasonUnsafeOrganizationSetting: a setting of the org makes every new client an administrator.
	ReasonUnsafeOrganizationSetting = "UnsafeOrganizationSetting"
	// ReasonDirectoryUnreachable: no answer comes from Okta.
	ReasonDirectoryUnreachable = "DirectoryUnreachable"
	// ReasonDirectoryError: Okta answers that it has failed.
	ReasonDirectoryError = "DirectoryError"
	// ReasonThrottled: the operator's share of an Okta rate limit is used up until the object's turn in one
	// of the next windows.
	ReasonThrottled = "Throttled"
	// ReasonInvalidRequest: Okta refuses what was asked for.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonDirectoryConflict: Okta holds an object of that name that is not ours.
	ReasonDirectoryConflict = "DirectoryConflict"
	// ReasonWaitingForDirectory: Okta has accepted a change and does not show it everywhere yet.
	ReasonWaitingForDirectory = "WaitingForDirectory"
)

// Reasons of an AIAgentRole.
const (
	// ReasonReservedPermission: a permission has a name that cannot be granted, or is one of
	// Okta's own that the operator's configuration does not allow.
	ReasonReservedPermission = "ReservedPermission"
	// ReasonUnknownMembers: spec.members names people whom Okta does not know.
	ReasonUnknownMembers = "UnknownMembers"
	// ReasonAllEnrolled: every member has every factor that is asked for.
	ReasonAllEnrolled = "AllEnrolled"
	// ReasonFactorsMissing: some members lack a factor; the message names them.
	ReasonFactorsMissing = "FactorsMissing"
	// ReasonShadowed: somebody else's access policy comes before the role's and lets every client in. Also a reason of
	// AccessPolicy: other sign-on policies come before it and let the same people in.
	ReasonShadowed = "Shadowed"
)

// Reasons of an AgentAPIKey.
const (
	// ReasonRoleNotFound: there is no AIAgentRole where roleRef points.
	ReasonRoleNotFound = "RoleNotFound"
	// ReasonRoleNotShared: the role exists in another namespace that does not share it.
	ReasonRoleNotShared = "RoleNotShared"
	// ReasonRoleNotReady: the role exists and is not Ready.
	ReasonRoleNotReady = "RoleNotReady"
	// ReasonWaitingForRole: the client is registered and waits for the role's policy to list it.
	ReasonWaitingForRole = "WaitingForRole"
	// ReasonSecretConflict: a Secret of the wanted name exists and is not this key's.
	ReasonSecretConflict = "SecretConflict"
	// ReasonTokenRefused: Okta refuses a token for the registered credential.
	ReasonTokenRefused = "TokenRefused"
	// ReasonDeactivatedInDirectory: somebody deactivated the client, or the policy, in Okta; that is respected.
	ReasonDeactivatedInDirectory = "DeactivatedInDirectory"
	// ReasonDeletedInDirectory: somebody deleted the client in Okta; that is respected.
	ReasonDeletedInDirectory = "DeletedInDirectory"
	// ReasonRevokedInDirectory: the client in Okta no longer takes the credential.
	ReasonRevokedInDirectory = "RevokedInDirectory"
	// ReasonSuspended: spec.state is Suspended, and Okta issues no token.
	ReasonSuspended = "Suspended"
	// ReasonExpired: spec.expiresAt has passed, and Okta issues no token.
	ReasonExpired = "Expired"
	// ReasonDrifted: somebody changed the client in Okta, and driftPolicy is Report.
	ReasonDrifted = "Drifted"
	// ReasonInvalidSpec: a field says something that admission could not check.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonCredentialLimit: the client has as many credentials as Okta allows, and not all are the key's.
	ReasonCredentialLimit = "CredentialLimit" //nolint:gosec // a name, no credential
	// ReasonAdoptionFailed: the client that spec.adopt names cannot be taken over.
	ReasonAdoptionFailed = "AdoptionFailed"
	// ReasonDeletionHeld: many keys are being deleted at once, and a person must confirm it.
	ReasonDeletionHeld = "DeletionHeld"
	// ReasonTombstoneNotKept: a key is to be abandoned, and there is no place for the trace of its client.
	ReasonTombstoneNotKept = "TombstoneNotKept"
)

// StatusConditions gives the conditions to read and change.
func (r *AIAgentRole) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (r *AIAgentRole) SetObservedGeneration(generation int64) {
	r.Status.ObservedGeneration = generation
}

// StatusConditions gives the conditions to read and change.
func (p *AccessPolicy) StatusConditions() *[]metav1.Condition { return &p.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (p *AccessPolicy) SetObservedGeneration(generation int64) {
	p.Status.ObservedGeneration = generation
}

// StatusConditions gives the conditions to read and change.
func (k *AgentAPIKey) StatusConditions() *[]metav1.Condition { return &k.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (k *AgentAPIKey) SetObservedGeneration(generation int64) {
	k.Status.ObservedGeneration = generation
}

// StatusConditions gives the conditions to read and change.
func (s *AuditSink) StatusConditions() *[]metav1.Condition { return &s.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (s *AuditSink) SetObservedGeneration(generation int64) {
	s.Status.ObservedGeneration = generation
}
