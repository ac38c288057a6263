package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AccessPolicyStatus is what the operator found and did.
//
// +kubebuilder:validation:MinProperties=1
type AccessPolicyStatus struct {
	// observedGeneration is the generation of the spec the status speaks of; -1
	// before the operator has seen the object.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready (always), Reconciling and Stalled (only while true), and
	// Effective.
	// Reasons of Ready: Ready, Progressing, Deleting, NotHonouredHere, RoleNotFound,
	// RoleNotShared, RoleNotReady, AppNotFound, AppAmbiguous, AppNotAllowed,
	// AppConflict, Shadowed, NetworkZoneNotFound, DeviceAssuranceNotFound,
	// DeactivatedInDirectory, CeilingExceeded, InvalidSelector, KeyNotFound, TooManyTargets, and those of Okta:
	// AuthenticationFailed, PermissionDenied, FeatureUnavailable,
	// DirectoryUnreachable, DirectoryError, Throttled, InvalidRequest,
	// DirectoryConflict, WaitingForDirectory.
	// Reasons of Effective: EverythingBinds, NoSubjects, ConditionNotSupported, and those of
	// Ready for which the policy is not carried out.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// conditional tells what a Conditional policy holds in Okta.
	// +optional
	Conditional *ConditionalStatus `json:"conditional,omitempty"`

	// ceiling tells what a Ceiling binds.
	// +optional
	Ceiling *CeilingStatus `json:"ceiling,omitempty"`

	// quarantine tells how far a Quarantine has come.
	// +optional
	Quarantine *QuarantineStatus `json:"quarantine,omitempty"`
}

// ConditionalStatus tells what a Conditional policy holds in Okta.
//
// +kubebuilder:validation:MinProperties=1
type ConditionalStatus struct {
	// policyID is the id of the sign-in policy of the apps in Okta.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PolicyID string `json:"policyID,omitempty"`

	// signOnPolicyID is the id of the sign-on policy for all apps, which an org
	// without Identity Engine has in its stead.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	SignOnPolicyID string `json:"signOnPolicyID,omitempty"`

	// enrollmentPolicyID is the id of the policy that lets people enrol the factors.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	EnrollmentPolicyID string `json:"enrollmentPolicyID,omitempty"`

	// deviceAssuranceIDs are the ids of the device assurance policies that were made.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	DeviceAssuranceIDs []string `json:"deviceAssuranceIDs,omitempty"`

	// apps are the apps the policy governs.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Apps []GovernedApp `json:"apps,omitempty"`

	// keys is how many AgentAPIKeys the conditions on agents bind.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Keys *int32 `json:"keys,omitempty"`
}

// GovernedApp is an app of Okta that a Conditional policy governs.
type GovernedApp struct {
	// id of the app.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// previousPolicyID is the id of the policy the app had, and gets back.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PreviousPolicyID string `json:"previousPolicyID,omitempty"`
}

// CeilingStatus tells what a Ceiling binds.
//
// +kubebuilder:validation:MinProperties=1
type CeilingStatus struct {
	// namespaces is how many namespaces the ceiling binds.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Namespaces *int32 `json:"namespaces,omitempty"`

	// keys is how many AgentAPIKeys are in these namespaces.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Keys *int32 `json:"keys,omitempty"`

	// violations is how many of these keys ask for more than the ceiling allows.
	// They have what is allowed, and no more.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Violations *int32 `json:"violations,omitempty"`

	// violators are the first of these keys, by namespace and name.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Violators []KeyReference `json:"violators,omitempty"`
}

// QuarantineStatus tells how far a Quarantine has come.
//
// +kubebuilder:validation:MinProperties=1
type QuarantineStatus struct {
	// targets is how many keys are to be cut off.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Targets *int32 `json:"targets,omitempty"`

	// blocked is how many of them get no new tokens any more.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Blocked *int32 `json:"blocked,omitempty"`

	// keys are those that are cut off: what the policy names, and what its selector has
	// once matched.
	// +optional
	// +listType=map
	// +listMapKey=namespace
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5000
	Keys []KeyReference `json:"keys,omitempty"`

	// newTokensBlockedAt is when the last of the targets was refused new tokens;
	// absent while one of them still gets any.
	// +optional
	NewTokensBlockedAt *metav1.Time `json:"newTokensBlockedAt,omitempty"`

	// exposureEndsAt is when the last token that a target may hold expires, for
	// services that verify tokens without asking Okta.
	// +optional
	ExposureEndsAt *metav1.Time `json:"exposureEndsAt,omitempty"`
}
