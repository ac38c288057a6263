package oktasim

import (
	"net/http"
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// assurance says what a device of one platform must be like.
type assurance struct {
	meta
	doc document
	// author is who made it, and who changed it last, as Okta tells it.
	author string
}

func (a *assurance) platform() string { return a.doc.text("platform") }

// assuranceShape has the attributes of one platform. Signals of third parties, and
// versions that follow the latest one, are not simulated.
func assuranceShape(platform string) shape.Shape {
	all := shape.Object{
		"id": shape.ReadOnly{}, "createdBy": shape.ReadOnly{}, "createdDate": shape.ReadOnly{}, "lastUpdate": shape.ReadOnly{},
		"lastUpdatedBy": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"name": shape.Text{Min: 1, Max: 255}, "platform": shape.Enum(assurancePlatforms()),
		"displayRemediationMode": shape.Enum{"HIDE", "SHOW"},
	}
	components := map[string]string{"ANDROID": "3", "IOS": "2", "MACOS": "2", "WINDOWS": "3"}[platform]
	if components != "" {
		all["osVersion"] = shape.Object{"minimum": shape.Pattern{
			Expression: `\d+(\.\d+){0,` + components + `}`, Want: "a version of the platform, like 14.1",
		}}
		all["screenLockType"] = shape.Object{"include": shape.List{Of: shape.Enum{"BIOMETRIC", "NONE", "PASSCODE"}}}
	}
	switch platform {
	case "MACOS", "WINDOWS":
		all["diskEncryptionType"] = shape.Object{"include": shape.List{Of: shape.Enum{"ALL_INTERNAL_VOLUMES"}}}
		all["secureHardwarePresent"] = shape.Bool{}
	case "ANDROID":
		all["diskEncryptionType"] = shape.Object{"include": shape.List{Of: shape.Enum{"FULL", "USER"}}}
		all["secureHardwarePresent"] = shape.Bool{}
		all["jailbreak"] = shape.Bool{}
	case "IOS":
		all["jailbreak"] = shape.Bool{}
	case "CHROMEOS":
		all["thirdPartySignalProviders"] = shape.Object{"dtc": shape.Object{
			"allowScreenLock": shape.Bool{}, "diskEncrypted": shape.Bool{}, "managedDevice": shape.Bool{}, "screenLockSecured": shape.Bool{},
		}}
	}
	return all
}

func assurancePlatforms() []string { return []string{"ANDROID", "CHROMEOS", "IOS", "MACOS", "WINDOWS"} }

// attributes are what an assurance asks of a device.
func attributes() []string {
	return []string{
		"osVersion", "screenLockType", "diskEncryptionType", "secureHardwarePresent", "jailbreak", "thirdPartySignalProviders",
	}
}

// readAssurance also holds the name unique: people choose assurances by name.
func (o *Org) readAssurance(c *call, self *assurance) (document, error) {
	raw, err := decodeObject(c.body)
	if err != nil {
		return nil, malformedBody()
	}
	body, err := parse(c, assuranceShape(raw.text("platform")), "deviceAssurance")
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"name", "platform"} {
		if body.text(required) == "" {
			return nil, validation(required, required+": The field cannot be left blank")
		}
	}
	if self != nil && self.platform() != body.text("platform") {
		return nil, validation("platform", "platform: can't be changed")
	}
	for _, other := range o.assurances.order {
		if other != self && other.doc.text("name") == body.text("name") {
			return nil, validation("name", "name: An object with this field already exists in the current organization")
		}
	}
	asked := body.only(attributes()...)
	if len(asked) == 0 {
		return nil, validation("deviceAssurance", "deviceAssurance: There must be at least one attribute")
	}
	if asked["jailbreak"] == true {
		return nil, validation("jailbreak", "jailbreak: must be false, for a device that is not jailbroken, or left out")
	}
	doc := body.only(append(attributes(), "name", "platform", "displayRemediationMode")...)
	return doc.over(document{"displayRemediationMode": "HIDE"}), nil
}

func (o *Org) createAssurance(c *call) (*reply, error) {
	if o.options.Classic {
		return nil, featureMissing()
	}
	doc, err := o.readAssurance(c, nil)
	if err != nil {
		return nil, err
	}
	a := &assurance{meta: o.newMeta("dae", c.now), doc: doc, author: c.principal}
	o.assurances.add(a)
	return ok(o.renderAssurance(a, true))
}

func (o *Org) findAssurance(c *call) (*assurance, error) {
	if o.options.Classic {
		return nil, featureMissing()
	}
	a, found := o.assurances.get(c.params["deviceAssuranceId"])
	if !found || c.request.Method == http.MethodGet && !o.readable(a, c.now) {
		return nil, notFound(c.params["deviceAssuranceId"], "DeviceAssurancePolicyEntity")
	}
	return a, nil
}

func (o *Org) getAssurance(c *call) (*reply, error) {
	a, err := o.findAssurance(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderAssurance(a, true))
}

// putAssurance answers without what only the creation says, as recorded.
func (o *Org) putAssurance(c *call) (*reply, error) {
	a, err := o.findAssurance(c)
	if err != nil {
		return nil, err
	}
	doc, err := o.readAssurance(c, a)
	if err != nil {
		return nil, err
	}
	a.doc, a.author = doc, c.principal
	a.touch(c.now)
	return ok(o.renderAssurance(a, false))
}

func (o *Org) deleteAssurance(c *call) (*reply, error) {
	a, err := o.findAssurance(c)
	if err != nil {
		return nil, err
	}
	for _, p := range o.policies {
		for _, r := range p.rules {
			if slices.Contains(r.doc.texts("conditions", "device", "assurance", "include"), a.id) {
				// Okta's own example has no code.
				return nil, &refusal{status: http.StatusConflict, summary: "Device assurance is in use and cannot be deleted."}
			}
		}
	}
	o.assurances.remove(a.id)
	return noContent()
}

// listAssurances has no pages.
func (o *Org) listAssurances(c *call) (*reply, error) {
	if o.options.Classic {
		return nil, featureMissing()
	}
	rendered := []any{}
	for _, a := range o.assurances.order {
		if o.listed(a, c.now) {
			rendered = append(rendered, o.renderAssurance(a, true))
		}
	}
	return ok(rendered)
}

func (o *Org) renderAssurance(a *assurance, withCreation bool) map[string]any {
	rendered := map[string]any{
		"id": a.id, "lastUpdate": stamp(a.updated), "lastUpdatedBy": a.author,
		"resourceId": a.id, "resourceType": "DeviceAssurancePolicyEntity",
		"resourceDisplayName": map[string]any{"value": a.doc.text("name"), "sensitive": false},
		"_links":              map[string]any{"self": o.link("/api/v1/device-assurances/"+a.id, "GET", "PUT", "DELETE")},
	}
	if withCreation {
		rendered["createdDate"], rendered["createdBy"] = stamp(a.created), a.author
	}
	for name, value := range a.doc {
		rendered[name] = value
	}
	return rendered
}
