package oktasim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// zone is a set of IP addresses. Zones by place, network operator or proxy are not
// simulated.
type zone struct {
	meta
	doc            document
	active, system bool
}

func (z *zone) name() string  { return z.doc.text("name") }
func (z *zone) usage() string { return z.doc.text("usage") }

// gatewayLimit is how many addresses a zone of people may have.
const gatewayLimit = 150

// addSystemZones makes the zones every org comes with, without an address.
func (o *Org) addSystemZones() {
	for _, known := range [][2]string{{"LegacyIpZone", "POLICY"}, {"BlockedIpZone", "BLOCKLIST"}} {
		o.zones.add(&zone{
			meta: o.newMeta("nzo", o.longAgo()), active: true, system: true,
			doc: document{"type": "IP", "name": known[0], "usage": known[1]},
		})
	}
}

func zoneShape() shape.Shape {
	addresses := shape.List{Of: shape.Object{"type": shape.Enum{"CIDR", "RANGE"}, "value": shape.Text{Min: 1}}}
	return shape.Object{
		"id": shape.ReadOnly{}, "created": shape.ReadOnly{}, "lastUpdated": shape.ReadOnly{}, "_links": shape.ReadOnly{},
		"system": shape.ReadOnly{},
		"type":   shape.Enum{"IP"}, "name": shape.Text{Min: 1, Max: 128}, "usage": shape.Enum{"POLICY", "BLOCKLIST"},
		"status": shape.Enum{"ACTIVE", "INACTIVE"}, "gateways": addresses, "proxies": addresses,
	}
}

func (o *Org) readZone(c *call, self *zone) (document, error) {
	body, err := parse(c, zoneShape(), "zone")
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"type", "name"} {
		if body.text(required) == "" {
			return nil, validation(required, required+": The field cannot be left blank")
		}
	}
	for _, other := range o.zones.order {
		if other != self && other.name() == body.text("name") {
			return nil, validation("name", "name: An object with this field already exists in the current organization")
		}
	}
	if self != nil {
		if err := o.mayBecome(self, body); err != nil {
			return nil, err
		}
	}
	doc := body.only("type", "name", "usage", "gateways", "proxies").over(document{"usage": "POLICY"})
	return doc, normalizeAddresses(doc)
}

// mayBecome holds a replacement against the zone that is there. A zone is recorded to
// be made ACTIVE whatever its body says; what a replacement does with another status
// than the zone's is not known, so it is refused.
func (o *Org) mayBecome(z *zone, body document) error {
	if z.system && body.text("name") != z.name() {
		return readOnly("name")
	}
	if status := body.text("status"); status != "" && status != statusOf(z.active) {
		return validation("status", "status: can't be changed by replacing the zone")
	}
	usage := body.text("usage")
	if used := o.zoneUser(z.id); used != "" && usage != "" && usage != z.usage() {
		return wrongState("The usage can't be changed: the zone is used by " + used + ".")
	}
	return nil
}

// normalizeAddresses checks addresses and writes them as Okta does.
func normalizeAddresses(doc document) error {
	count := 0
	for _, field := range []string{"gateways", "proxies"} {
		all, _ := doc[field].([]any)
		for i, each := range all {
			address := document(each.(map[string]any))
			normal, valid := normalAddress(address.text("type"), address.text("value"))
			if !valid {
				return validation(field, field+"["+strconv.Itoa(i)+"]: must be IP addresses of the type that is sent")
			}
			address["value"] = normal
		}
		if len(all) > gatewayLimit {
			return validation(field, field+": can't be more than "+strconv.Itoa(gatewayLimit)+" addresses")
		}
		count += len(all)
	}
	if count == 0 {
		return validation("gateways", "gateways: gateways or proxies must be defined")
	}
	return nil
}

func (o *Org) createZone(c *call) (*reply, error) {
	doc, err := o.readZone(c, nil)
	if err != nil {
		return nil, err
	}
	z := &zone{meta: o.newMeta("nzo", c.now), doc: doc, active: true}
	o.zones.add(z)
	return ok(o.renderZone(z))
}

func (o *Org) findZone(c *call) (*zone, error) {
	z, found := o.zones.get(c.params["zoneId"])
	if !found || c.request.Method == http.MethodGet && !o.readable(z, c.now) {
		return nil, notFound(c.params["zoneId"], "NetworkZone")
	}
	return z, nil
}

func (o *Org) getZone(c *call) (*reply, error) {
	z, err := o.findZone(c)
	if err != nil {
		return nil, err
	}
	return ok(o.renderZone(z))
}

func (o *Org) putZone(c *call) (*reply, error) {
	z, err := o.findZone(c)
	if err != nil {
		return nil, err
	}
	doc, err := o.readZone(c, z)
	if err != nil {
		return nil, err
	}
	z.doc = doc
	z.touch(c.now)
	return ok(o.renderZone(z))
}

func (o *Org) deleteZone(c *call) (*reply, error) {
	z, err := o.findZone(c)
	if err != nil {
		return nil, err
	}
	if z.system {
		return nil, wrongState("System zones can't be deleted.")
	}
	if used := o.zoneUser(z.id); used != "" {
		return nil, wrongState("The zone can't be deleted: it is used by " + used + ".")
	}
	if z.active && !o.options.Classic {
		return nil, wrongState("The zone must be deactivated before it can be deleted.")
	}
	o.zones.remove(z.id)
	return noContent()
}

// zoneUser names what a zone is used by.
func (o *Org) zoneUser(id string) string {
	names := func(network document) bool {
		return slices.Contains(network.texts("include"), id) || slices.Contains(network.texts("exclude"), id)
	}
	for _, p := range o.policies {
		for _, r := range p.rules {
			if names(r.doc.object("conditions", "network")) {
				return "the rule " + r.id + " of the policy " + p.id
			}
		}
	}
	for _, a := range o.apps.order {
		if names(a.settings().object("network")) {
			return "the app " + a.id
		}
	}
	return ""
}

func (o *Org) activateZone(c *call) (*reply, error)   { return o.switchZone(c, true) }
func (o *Org) deactivateZone(c *call) (*reply, error) { return o.switchZone(c, false) }

func (o *Org) switchZone(c *call, active bool) (*reply, error) {
	z, err := o.findZone(c)
	if err != nil {
		return nil, err
	}
	if z.active == active {
		return nil, wrongState("The zone is " + statusOf(active) + " already.")
	}
	z.active = active
	z.touch(c.now)
	return ok(o.renderZone(z))
}

// listZones gives all zones when no limit is asked for.
func (o *Org) listZones(c *call) (*reply, error) {
	const all = 10000
	p, err := readPage(c, all, all)
	if err != nil {
		return nil, err
	}
	terms, err := readFilter(c.query.Get("filter"), "id", "usage", "system")
	if err != nil {
		return nil, err
	}
	return list200(o, c, p, &o.zones, func(z *zone) bool {
		values := map[string]string{"id": z.id, "usage": z.usage(), "system": strconv.FormatBool(z.system)}
		for _, term := range terms {
			if values[term.name] != term.value {
				return false
			}
		}
		return true
	}, func(z *zone) any { return o.renderZone(z) })
}

func (o *Org) renderZone(z *zone) map[string]any {
	self := "/api/v1/zones/" + z.id
	links := map[string]any{"self": o.link(self, "GET", "PUT", "DELETE")}
	if z.active {
		links["deactivate"] = o.link(self+"/lifecycle/deactivate", "POST")
	} else {
		links["activate"] = o.link(self+"/lifecycle/activate", "POST")
	}
	return map[string]any{
		"id": z.id, "type": "IP", "name": z.name(), "status": statusOf(z.active), "usage": z.usage(), "system": z.system,
		"created": stamp(z.created), "lastUpdated": stamp(z.updated), "gateways": z.doc["gateways"], "proxies": z.doc["proxies"],
		"_links": links,
	}
}
