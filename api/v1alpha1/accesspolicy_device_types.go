package v1alpha1

// DeviceCondition says what the person's device must be.
//
// +kubebuilder:validation:XValidation:rule="self.posture.exists(p, p == 'Compliant') == has(self.assurances)",message="device.assurances say what Compliant means: give them when device.posture has Compliant, and only then"
type DeviceCondition struct {
	// posture is what the device must be; all that are given must hold.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Posture []DevicePosture `json:"posture,omitempty"`

	// assurances say, for each platform, what a compliant device fulfils. A device
	// of a platform that is not here is not compliant.
	// +optional
	// +listType=map
	// +listMapKey=platform
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5
	Assurances []DeviceAssurance `json:"assurances,omitempty"`
}

// DevicePosture is something Okta knows about a device.
//
// +kubebuilder:validation:Enum=Registered;Managed;Compliant
type DevicePosture string

// The postures.
const (
	// PostureRegistered: the person enrolled the device with Okta Verify.
	PostureRegistered DevicePosture = "Registered"
	// PostureManaged: registered, and part of a device management system.
	PostureManaged DevicePosture = "Managed"
	// PostureCompliant: registered, and fulfils the assurance of its platform.
	PostureCompliant DevicePosture = "Compliant"
)

// DeviceAssurance says what a compliant device of one platform fulfils.
//
// +kubebuilder:validation:XValidation:rule="has(self.policyName) != has(self.requirements)",message="give exactly one of policyName (a device assurance policy that exists in Okta) and requirements (one is made)"
// +kubebuilder:validation:XValidation:rule="self.platform != 'ChromeOS' || !has(self.requirements)",message="Okta checks ChromeOS devices by third-party signals only: set them up in a device assurance policy in Okta and give its policyName"
// +kubebuilder:validation:XValidation:rule="self.platform in ['Android','IOS'] || !has(self.requirements) || !has(self.requirements.jailbreak)",message="requirements.jailbreak is checked on Android and IOS only: remove it for this platform"
// +kubebuilder:validation:XValidation:rule="self.platform != 'IOS' || !has(self.requirements) || (!has(self.requirements.diskEncryption) && !has(self.requirements.secureHardware))",message="requirements.diskEncryption and requirements.secureHardware cannot be checked on IOS, where they are always there: remove them"
type DeviceAssurance struct {
	// platform of the device: Android, ChromeOS, IOS, MacOS or Windows.
	// +required
	Platform DevicePlatform `json:"platform,omitempty"`

	// policyName names a device assurance policy that exists in Okta. It is used,
	// never changed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	PolicyName string `json:"policyName,omitempty"`

	// requirements of which the operator makes a device assurance policy.
	// +optional
	Requirements *DeviceRequirements `json:"requirements,omitempty"`
}

// DevicePlatform is a platform whose devices Okta can check.
//
// +kubebuilder:validation:Enum=Android;ChromeOS;IOS;MacOS;Windows
type DevicePlatform string

// The platforms whose devices Okta can check.
const (
	DevicePlatformAndroid  DevicePlatform = "Android"
	DevicePlatformChromeOS DevicePlatform = "ChromeOS"
	DevicePlatformIOS      DevicePlatform = "IOS"
	DevicePlatformMacOS    DevicePlatform = "MacOS"
	DevicePlatformWindows  DevicePlatform = "Windows"
)

// DeviceRequirements are fulfilled together.
//
// +kubebuilder:validation:MinProperties=1
type DeviceRequirements struct {
	// minimumOSVersion is the oldest version allowed, such as 14.6.1: one to four
	// numbers with dots between.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,7}([.][0-9]{1,7}){0,3}$')",message="minimumOSVersion must be one to four numbers with dots between, such as 14.6.1"
	MinimumOSVersion string `json:"minimumOSVersion,omitempty"`

	// diskEncryption says whether the disk must be encrypted; Optional when absent.
	// +optional
	DiskEncryption Requirement `json:"diskEncryption,omitempty"`

	// screenLock is the weakest screen lock allowed; none is needed when absent.
	// +optional
	ScreenLock ScreenLock `json:"screenLock,omitempty"`

	// secureHardware says whether keys must live in a TPM or secure enclave;
	// Optional when absent.
	// +optional
	SecureHardware Requirement `json:"secureHardware,omitempty"`

	// jailbreak says whether a device that was broken open is refused (Forbidden)
	// or not (Allowed, the default).
	// +optional
	Jailbreak Jailbreak `json:"jailbreak,omitempty"`
}

// ScreenLock is how a screen is unlocked.
//
// +kubebuilder:validation:Enum=Passcode;Biometric
type ScreenLock string

// The screen locks, weakest first.
const (
	ScreenLockPasscode  ScreenLock = "Passcode"
	ScreenLockBiometric ScreenLock = "Biometric"
)

// Jailbreak says whether a device that was broken open gets in.
//
// +kubebuilder:validation:Enum=Allowed;Forbidden
type Jailbreak string

// What becomes of devices that were broken open.
const (
	JailbreakAllowed   Jailbreak = "Allowed"
	JailbreakForbidden Jailbreak = "Forbidden"
)
