package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const assurances = "/api/v1/device-assurances"

// FindZone implements identity.Devices.
func (d *Directory) FindZone(ctx context.Context, name string) (string, error) {
	return d.zones.find(ctx, name)
}

// zoneList remembers the active network zones by name.
type zoneList struct {
	org   *org
	clock clock.PassiveClock

	mu     sync.Mutex
	ids    map[string]string
	looked time.Time
}

// find lists again, soon, what it does not know.
func (l *zoneList) find(ctx context.Context, name string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	age := l.clock.Since(l.looked)
	if id, known := l.ids[name]; l.ids != nil && (known && age < verifiedFor || age < soon) {
		return id, nil
	}
	listed, begun, err := objects(l.org, l.clock).all(ctx, "/api/v1/zones?limit=200")
	if err != nil {
		return "", err
	}
	l.ids, l.looked = map[string]string{}, begun
	for _, zone := range listed {
		if text(zone, "status") == statusActive {
			l.ids[text(zone, "name")] = text(zone, "id")
		}
	}
	return l.ids[name], nil
}

func (d *Directory) listAssurances(ctx context.Context) ([]object, error) {
	var listed []object
	_, err := d.org.call(ctx, http.MethodGet, assurances, nil, &listed)
	return listed, err
}

// FindAssurance implements identity.Devices.
func (d *Directory) FindAssurance(ctx context.Context, name, platform string) (string, error) {
	listed, err := d.listAssurances(ctx)
	for _, assurance := range listed {
		if text(assurance, "name") == name && text(assurance, "platform") == platform {
			return text(assurance, "id"), nil
		}
	}
	return "", err
}

// PutAssurance implements identity.Devices.
func (d *Directory) PutAssurance(ctx context.Context, want identity.Assurance) (string, error) {
	body := assuranceBody(want)
	listed, err := d.listAssurances(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(listed, func(o object) bool { return text(o, "name") == want.Name })
	if at < 0 {
		var made object
		_, err := d.org.call(ctx, http.MethodPost, assurances, body, &made)
		if status, _ := fault.StatusOf(err); status.Exists {
			return "", waitingFor(err, "Okta has the device assurance and does not show it yet; it is looked at again")
		}
		return text(made, "id"), err
	}
	have := listed[at]
	path := assurances + "/" + url.PathEscape(text(have, "id"))
	switch {
	case text(have, "platform") != want.Platform:
		return "", conflict("device assurance " + want.Name + " exists in Okta for another platform; delete it there")
	case covers(plain(everyAttribute(body)), have):
		return text(have, "id"), nil
	}
	_, err = d.org.call(ctx, http.MethodPut, path, body, nil)
	return text(have, "id"), err
}

// DeleteAssurances implements identity.Devices.
func (d *Directory) DeleteAssurances(ctx context.Context, prefix string, keep []string) error {
	listed, err := d.listAssurances(ctx)
	if err != nil {
		return err
	}
	for _, assurance := range listed {
		id := text(assurance, "id")
		if !strings.HasPrefix(text(assurance, "name"), prefix) || slices.Contains(keep, id) {
			continue
		}
		_, err := d.org.call(ctx, http.MethodDelete, assurances+"/"+url.PathEscape(id), nil, nil)
		if status, _ := fault.StatusOf(err); status.HTTP == http.StatusConflict {
			return waitingFor(err, "a device assurance is still in use in Okta; it is looked at again")
		}
		if err != nil && !fault.IsGone(err) {
			return err
		}
	}
	return nil
}

func assuranceBody(want identity.Assurance) object {
	body := object{"name": want.Name, "platform": want.Platform}
	if want.MinimumOS != "" {
		body["osVersion"] = object{"minimum": want.MinimumOS}
	}
	switch {
	case want.Biometric:
		body["screenLockType"] = object{"include": []string{"BIOMETRIC"}}
	case want.Locked:
		body["screenLockType"] = object{"include": []string{"BIOMETRIC", "PASSCODE"}}
	}
	if want.Encrypted {
		kinds := []string{"ALL_INTERNAL_VOLUMES"}
		if want.Platform == "ANDROID" {
			kinds = []string{"FULL", "USER"}
		}
		body["diskEncryptionType"] = object{"include": kinds}
	}
	if want.SecureHardware {
		body["secureHardwarePresent"] = true
	}
	if want.Unbroken {
		body["jailbreak"] = false
	}
	return body
}

// everyAttribute also says of what is not asked for that it must not be asked for.
func everyAttribute(body object) object {
	all := object{"osVersion": nil, "screenLockType": nil, "diskEncryptionType": nil, "secureHardwarePresent": nil, "jailbreak": nil}
	for name, value := range body {
		all[name] = value
	}
	return all
}
