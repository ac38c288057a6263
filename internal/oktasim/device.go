package oktasim

import (
	"slices"
	"strconv"
	"strings"
)

// Device is what a person signs in with.
type Device struct {
	// Registered tells that Okta Verify on it is enrolled; Managed, that a device
	// management system looks after it.
	Registered bool `json:"registered,omitempty"`
	Managed    bool `json:"managed,omitempty"`
	// Platform is ANDROID, CHROMEOS, IOS, LINUX, MACOS or WINDOWS.
	Platform  string `json:"platform,omitempty"`
	OSVersion string `json:"osVersion,omitempty"`
	// DiskEncryption is FULL or USER on Android, and ALL_INTERNAL_VOLUMES elsewhere.
	DiskEncryption string `json:"diskEncryption,omitempty"`
	// ScreenLock is BIOMETRIC, PASSCODE or NONE.
	ScreenLock     string `json:"screenLock,omitempty"`
	SecureHardware bool   `json:"secureHardware,omitempty"`
	Jailbroken     bool   `json:"jailbroken,omitempty"`
	// Signals are what Chrome tells of a device, by the names assurances have.
	Signals map[string]bool `json:"signals,omitempty"`
}

// holds tells whether a device is what the assurance asks for: of its platform, and
// everything that is asked.
func (a *assurance) holds(d Device) bool {
	if a.platform() != d.Platform {
		return false
	}
	if minimum := a.doc.text("osVersion", "minimum"); minimum != "" && !atLeast(d.OSVersion, minimum) {
		return false
	}
	for name, value := range map[string]string{"diskEncryptionType": d.DiskEncryption, "screenLockType": d.ScreenLock} {
		if wanted := a.doc.texts(name, "include"); len(wanted) > 0 && !slices.Contains(wanted, value) {
			return false
		}
	}
	for name, wanted := range a.doc.object("thirdPartySignalProviders", "dtc") {
		if wanted != d.Signals[name] {
			return false
		}
	}
	return (!a.doc.flag("secureHardwarePresent") || d.SecureHardware) && (a.doc["jailbreak"] == nil || !d.Jailbroken)
}

// atLeast compares versions number by number; a number that is missing is 0, and what
// is no version is less than any.
func atLeast(version, minimum string) bool {
	have, wanted := strings.Split(version, "."), strings.Split(minimum, ".")
	for i := range max(len(have), len(wanted)) {
		a, okA := numberAt(have, i)
		b, okB := numberAt(wanted, i)
		if !okA || !okB || a < b {
			return false
		}
		if a > b {
			return true
		}
	}
	return true
}

func numberAt(parts []string, i int) (int, bool) {
	if i >= len(parts) {
		return 0, true
	}
	number, err := strconv.Atoi(parts[i])
	return number, err == nil
}
