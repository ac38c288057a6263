package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

	// preset is a ready-made shape of the Secret; Files when there is no template either.
	// Files: one key per field, to be mounted as a directory. Environment: names in
	// capitals, for envFrom. ServiceBinding: the keys of the Service Binding
	// specification (https://servicebinding.io).
	// +optional
	Preset SecretPreset `json:"preset,omitempty"`

	// template maps Secret keys to Go templates over the credential's fields: .clientID,
	// .privateKey, .keyID, .jwk, .clientSecret, .accessToken, .expiresAt, .tokenURL,
	// .issuer, .audience and .scopes. Functions are a part of sprig's that needs nothing
	// but its arguments. The Secret then has these keys and no others.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.size() <= 253 && key.matches('^[-._a-zA-Z0-9]+$') && key != '.' && !key.startsWith('..'))",message="the keys of template become keys of the Secret: use at most 253 letters, digits, '-', '_' and '.', and nothing that begins with '..'"
	Template map[string]TemplateText `json:"template,omitempty"`
}

// TemplateText is a Go template over the credential's fields.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=4096
type TemplateText string

// Rotation says when the credential is replaced.
//
// +kubebuilder:validation:XValidation:rule="!has(self.overlap) || !has(self.maxOverlap) || duration(self.maxOverlap) >= duration(self.overlap)",message="maxOverlap must not be shorter than overlap"
// +kubebuilder:validation:XValidation:rule="!has(self.every) || duration(self.every) > (has(self.overlap) ? duration(self.overlap) : duration('0s'))",message="every must be longer than overlap, or credentials would pile up"
type Rotation struct {
	// every is the age at which the credential is replaced, at least 1h; by age never
	// when absent. Up to a tenth of it, and a day at most, is taken off, differently
	// for every credential, so that keys made together are not replaced together.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h')",message="every must be at least 1h, in h, m or s, such as 720h"
	Every *metav1.Duration `json:"every,omitempty"`

	// overlap is how long the previous credential stays valid at least after the new
	// one is published; 1h when absent, or maxOverlap if that is shorter. It stays on
	// while a running pod still has the previous one, until maxOverlap. With delivery
	// AccessToken it ends at once, for no pod has ever had it.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="overlap must not be negative, in h, m or s, such as 1h"
	Overlap *metav1.Duration `json:"overlap,omitempty"`

	// maxOverlap is how long the previous credential stays valid at most, whoever still
	// uses it; 24h when absent, or overlap if that is longer.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s')",message="maxOverlap must not be negative, in h, m or s, such as 24h"
	MaxOverlap *metav1.Duration `json:"maxOverlap,omitempty"`

	// windows are the times at which a rotation by age may start; any time when
	// absent. A rotation on request (the annotation agentidentity.dev/rotate) does
	// not wait for them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	Windows []RotationWindow `json:"windows,omitempty"`
}

// RotationWindow is a recurring stretch of time.
type RotationWindow struct {
	// start is a cron expression of five fields (minute, hour, day of the month, month,
	// day of the week), as in a CronJob.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-0-9A-Za-z*/,?]+( +[-0-9A-Za-z*/,?]+){4}$')",message="start must be a cron expression of five fields (minute, hour, day of the month, month, day of the week), such as '0 2 * * 6'"
	Start string `json:"start,omitempty"`

	// duration is how long the window stays open, at least 1m.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m')",message="duration must be at least 1m, in h, m or s, such as 2h"
	Duration metav1.Duration `json:"duration,omitzero"`

	// timeZone is a name of the IANA time zone database, such as Europe/Berlin; UTC
	// when absent.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self != 'Local'",message="timeZone must be a name of the IANA time zone database, such as Europe/Berlin; Local would be the zone of whatever node the operator runs on"
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
