package oktasim

import (
	"strings"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/throttle"
)

// happening is what a request leaves in the System Log when it has been carried out:
// events about what its path names, the last part first.
type happening struct {
	kinds []string
	// creates tells that the answer, too, is an object that the events are about.
	creates bool
}

func happens(kinds ...string) happening { return happening{kinds: kinds} }

func makes(kinds ...string) happening { return happening{kinds: kinds, creates: true} }

// happenings tells of every operation that changes something, or gives secrets out, what
// it leaves. Those with an empty list write their events themselves, or none.
func happenings() map[string]happening {
	all := map[string]happening{
		// Okta has no event for it that the catalogue would tell.
		"PUT /api/v1/org/settings/clientPrivilegesSetting": happens(),
		// Only when it changes something.
		"PUT /api/v1/groups/{groupId}/users/{userId}":    happens(),
		"DELETE /api/v1/groups/{groupId}/users/{userId}": happens(),
		// What these leave depends on the factor.
		"POST /api/v1/users/{userId}/factors":                                           happens(),
		"DELETE /api/v1/users/{userId}/factors/{factorId}":                              happens(),
		"POST /api/v1/users/{userId}/factors/{factorId}/lifecycle/activate":             happens(),
		"POST /api/v1/users/{userId}/factors/{factorId}/lifecycle/activate/poll":        happens(),
		"POST /api/v1/users/{userId}/factors/{factorId}/lifecycle/activate/email":       happens(mailSent),
		"PUT /api/v1/apps/{appId}/policies/{policyId}":                                  happens(appPolicyUpdated),
		"GET /api/v1/apps/{appId}/credentials/secrets":                                  happens(secretsRead),
		"GET /api/v1/apps/{appId}/credentials/secrets/{secretId}":                       happens(secretsRead),
		"POST /api/v1/apps/{appId}/credentials/secrets":                                 makes(credentialCreated),
		"DELETE /api/v1/apps/{appId}/credentials/secrets/{secretId}":                    happens(credentialDeleted),
		"POST /api/v1/apps/{appId}/credentials/secrets/{secretId}/lifecycle/activate":   happens(credentialActivated, secretsRead),
		"POST /api/v1/apps/{appId}/credentials/secrets/{secretId}/lifecycle/deactivate": happens(credentialDeactivated, secretsRead),
	}
	lifecycle(all, "/api/v1/apps/{appId}/credentials/jwks", "{keyId}", [5]string{
		credentialCreated, "", credentialDeleted, credentialActivated, credentialDeactivated,
	})
	lifecycle(all, "/api/v1/apps", "{appId}", [5]string{
		appCreated + " " + clientCreated, appUpdated + " " + clientUpdated, appDeleted + " " + clientDeleted,
		appActivated + " " + clientActivated, appDeactivated + " " + clientDeactivated,
	})
	lifecycle(all, "/api/v1/groups", "{groupId}", [5]string{groupCreated, groupUpdated, groupDeleted})
	const server = "/api/v1/authorizationServers/{authServerId}"
	lifecycle(all, "/api/v1/authorizationServers", "{authServerId}", [5]string{
		"oauth2.as.created", "oauth2.as.updated", "oauth2.as.deleted", "oauth2.as.activated", "oauth2.as.deactivated",
	})
	lifecycle(all, server+"/scopes", "{scopeId}", [5]string{"oauth2.scope.created", "oauth2.scope.updated", "oauth2.scope.deleted"})
	for _, policies := range []string{server + "/policies", "/api/v1/policies"} {
		lifecycle(all, policies, "{policyId}", [5]string{policyCreated, policyUpdated, policyDeleted, policyActivated, policyDeactivated})
		lifecycle(all, policies+"/{policyId}/rules", "{ruleId}", [5]string{ruleAdded, ruleUpdated, ruleDeleted, ruleActivated, ruleDeactivated})
	}
	lifecycle(all, "/api/v1/zones", "{zoneId}", [5]string{
		"zone.create", "zone.update", "zone.delete", "zone.activate", "zone.deactivate",
	})
	lifecycle(all, "/api/v1/device-assurances", "{deviceAssuranceId}", [5]string{
		"device.assurance.policy.add", "device.assurance.policy.update", "device.assurance.policy.delete",
	})
	iamHappenings(all)
	return all
}

// lifecycle adds what create, replace, delete, activate and deactivate leave; types are
// separated by spaces, and empty is an operation that there is not.
func lifecycle(all map[string]happening, path, param string, kinds [5]string) {
	one := path + "/" + param
	operations := [5]string{
		"POST " + path, "PUT " + one, "DELETE " + one, "POST " + one + "/lifecycle/activate", "POST " + one + "/lifecycle/deactivate",
	}
	for i, operation := range operations {
		if kinds[i] != "" {
			all[operation] = happening{kinds: strings.Fields(kinds[i]), creates: i == 0}
		}
	}
}

// named finds what the path of a request names, the last part first, before the request
// is carried out: afterwards it may be gone.
func (o *Org) named(c *call) []subject {
	var all []subject
	for part := range strings.SplitSeq(c.route.template, "/") {
		name, isParam := strings.CutPrefix(part, "{")
		if !isParam {
			continue
		}
		var parent subject
		if len(all) > 0 {
			parent = all[0]
		}
		if found, exists := o.within(parent, c.params[strings.TrimSuffix(name, "}")]); exists {
			all = append([]subject{found}, all...)
		}
	}
	return all
}

// perform lets an operation decide, and writes down what came of it.
func (o *Org) perform(c *call) (*reply, error) {
	what, happens := o.happenings[c.request.Method+" "+c.route.template]
	if !happens || len(what.kinds) == 0 {
		r, err := c.route.handle(o, c)
		o.logOAuth(c, r, err)
		return r, err
	}
	about := o.named(c)
	r, err := c.route.handle(o, c)
	if err != nil {
		return nil, err
	}
	if what.creates {
		body, _ := r.body.(map[string]any)
		var parent subject
		if len(about) > 0 {
			parent = about[0]
		}
		if made, exists := o.within(parent, document(body).text("id")); exists {
			about = append([]subject{made}, about...)
		}
	}
	for _, kind := range what.kinds {
		o.log(o.caller(c), kind, about...)
	}
	return r, nil
}

// logLimit tells once a window that a bucket is nearly used up, and that it is.
func (o *Org) logLimit(c *call, v throttle.Verdict) {
	kind := limitWarned
	switch {
	case !v.Allowed:
		kind = limitViolated
	case v.Remaining*10 > v.Limit:
		return
	}
	o.logOnce(c, kind, string(c.route.bucket), v.Reset, v)
}

// logCrowd tells once a minute that too many requests are in flight.
func (o *Org) logCrowd(c *call) {
	o.logOnce(c, concurrencyLimit, "", c.now.Truncate(throttle.Window), throttle.Verdict{Limit: o.options.Concurrency})
}

func (o *Org) logOnce(c *call, kind, bucket string, window time.Time, v throttle.Verdict) {
	key := kind + " " + bucket
	if o.limitsTold[key].Equal(window) {
		return
	}
	o.limitsTold[key] = window
	o.logOutcome(o.caller(c), kind, outcome{debug: map[string]any{
		"rateLimitBucket": bucket, "threshold": v.Limit, "remaining": v.Remaining, "timeSpan": 1, "timeUnit": "MINUTES",
	}}, party{ID: bucket, Type: "URL Pattern", AlternateID: unknownText, DisplayName: bucket})
}
