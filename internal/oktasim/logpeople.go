package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/eventlog"
)

// logNewUser writes down a user made in the console.
func (o *Org) logNewUser(u *user) {
	o.log(o.console(), userCreated, u)
	if u.status == userActive {
		o.log(o.console(), userActivated, u)
	}
}

// logStatus writes down what brought a user from one status to another.
func (o *Org) logStatus(u *user, before string) {
	kind := map[string]string{
		userActive: userActivated, userSuspended: userSuspend, userDeprovisioned: userDeactivated, "LOCKED_OUT": userLocked,
		"PROVISIONED": userActivated, "RECOVERY": userPasswordReset, "PASSWORD_EXPIRED": userPasswordExpired,
		// No event of Okta's leads back to STAGED.
		userStaged: userProfileUpdated,
	}[u.status]
	switch {
	case u.status == userActive && before == userSuspended:
		kind = userUnsuspend
	case u.status == userActive && before == "LOCKED_OUT":
		kind = userUnlocked
	case u.status == userActive && before == userDeprovisioned:
		kind = userReactivated
	}
	o.log(o.console(), kind, u)
}

// logEnrolled writes down an enrolment, or the message with the code to complete it.
func (o *Org) logEnrolled(by source, f *factor) {
	switch {
	case f.active:
		o.log(by, factorActivated, f.owner, f)
	case f.kind.name == factorSMS:
		o.log(by, smsSent, f.owner, f)
	case f.kind.name == factorEmail:
		o.log(by, mailSent, f.owner, f)
	}
}

// logUnenrolled writes down each factor that goes.
func (o *Org) logUnenrolled(by source, f *factor) {
	o.log(by, factorDeactivated, f.owner, f)
	if codes := f.owner.of(oktaVerifyCodes()); f.kind.name == factorPush && codes != nil {
		o.log(by, factorDeactivated, f.owner, codes)
	}
}

// logMembers writes down who has joined and left a group.
func (o *Org) logMembers(g *group, before []string) {
	for kind, pair := range map[string][2][]string{memberAdded: {g.members, before}, memberRemoved: {before, g.members}} {
		for _, id := range pair[0] {
			if u, found := o.users.get(id); found && !slices.Contains(pair[1], id) {
				o.log(o.console(), kind, u, g)
			}
		}
	}
}

// visitor is the person at the door of an app.
func (o *Org) visitor(v visit) source {
	from := source{
		actor: nobody("User"), transaction: o.journal.Text(32),
		client: eventlog.Client{IP: addressText(v.ip), UserAgent: unknownText, Zone: o.zoneOf(v.ip), Device: "Computer"},
	}
	from.actor.AlternateID = v.Login
	if slices.Contains([]string{"IOS", "ANDROID"}, v.Device.Platform) {
		from.client.Device = "Mobile"
	}
	if v.user != nil {
		from.actor = v.user.party()
	}
	return from
}

// logStranger writes down who did not get as far as the policies.
func (o *Org) logStranger(v visit, why string) {
	var targets []subject
	if v.app != nil {
		targets = append(targets, v.app)
	}
	if o.blocked(v.ip) {
		o.logOutcome(o.visitor(v), requestBlocked, outcome{result: "DENY", reason: why}, targets...)
		return
	}
	o.logOutcome(o.visitor(v), sessionStarted, failure(why), targets...)
}

// logVisit writes down what policies said to a person: judged is their decision, final
// also is whether there was a code.
func (o *Org) logVisit(v visit, judged, final Decision) {
	by := o.visitor(v)
	by.session = "idx" + o.journal.Text(21)
	for _, name := range v.Factors {
		if !o.options.Classic || name != "password" {
			o.logOutcome(by, factorVerified, outcome{debug: map[string]any{"factor": name}}, v.user)
		}
	}
	targets := append([]subject{v.app}, o.deciding(judged)...)
	came := judgement(judged)
	o.logOutcome(by, signOnEvaluated, came, targets...)
	if p := o.accessPolicyOf(v.app); came.result == "DENY" && p != nil && p.id == judged.PolicyID {
		o.logOutcome(by, appDenied, outcome{result: "FAILURE", reason: judged.Why}, targets...)
	}
	if !judged.Allowed {
		return
	}
	o.log(by, sessionStarted, v.app)
	o.log(by, appEntered, v.app)
	if v.Server != "" {
		o.logCode(by, v, final)
	}
}

// judgement is what policies say: more may be wanted, or nothing helps.
func judgement(d Decision) outcome {
	switch {
	case d.Allowed:
		return outcome{result: "ALLOW", reason: d.Why}
	case d.RuleID != "" && d.Why != ruleDenies:
		return outcome{result: "CHALLENGE", reason: d.Why}
	}
	return outcome{result: "DENY", reason: d.Why}
}

// logCode writes down an authorization code, or why there is none.
func (o *Org) logCode(by source, v visit, final Decision) {
	came := outcome{}
	if !final.Allowed {
		came = failure(final.Why)
	}
	targets := []subject{v.app}
	if s, found := o.findServer(v.Server); found {
		targets = append(targets, s)
	}
	o.logOutcome(by, codeGranted, came, targets...)
}

// deciding gives the policy and the rule of a decision.
func (o *Org) deciding(d Decision) []subject {
	var all []subject
	for _, p := range o.policies {
		if p.id != d.PolicyID {
			continue
		}
		all = append(all, p)
		if r, found := among(p.rules, d.RuleID); found {
			all = append(all, r)
		}
	}
	return all
}
