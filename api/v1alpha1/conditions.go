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
	// ReasonThrottled: the operator's share of an Okta rate limit is used up until its window ends.
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
	// ReasonReservedPermission: a permission has a name that cannot be granted.
	ReasonReservedPermission = "ReservedPermission"
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
	// ReasonSecretLost: the credential Okta knows is in no Secret any more.
	ReasonSecretLost = "SecretLost"
	// ReasonTokenRefused: Okta refuses a token for the registered credential.
	ReasonTokenRefused = "TokenRefused"
	// ReasonDeactivatedInDirectory: somebody deactivated the client in Okta; that is respected.
	ReasonDeactivatedInDirectory = "DeactivatedInDirectory"
	// ReasonDeletedInDirectory: somebody deleted the client in Okta; that is respected.
	ReasonDeletedInDirectory = "DeletedInDirectory"
	// ReasonRevokedInDirectory: the client in Okta no longer takes the credential.
	ReasonRevokedInDirectory = "RevokedInDirectory"
)

// StatusConditions gives the conditions to read and change.
func (r *AIAgentRole) StatusConditions() *[]metav1.Condition { return &r.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (r *AIAgentRole) SetObservedGeneration(generation int64) {
	r.Status.ObservedGeneration = generation
}

// StatusConditions gives the conditions to read and change.
func (k *AgentAPIKey) StatusConditions() *[]metav1.Condition { return &k.Status.Conditions }

// SetObservedGeneration records the generation the status speaks of.
func (k *AgentAPIKey) SetObservedGeneration(generation int64) {
	k.Status.ObservedGeneration = generation
}
