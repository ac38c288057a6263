package oktasim

import "encoding/base32"

// renderFactor gives a factor as GET and lists do: what a pending one needs to be
// activated with stands in the answer to its enrolment only.
func (o *Org) renderFactor(f *factor) map[string]any {
	rendered := map[string]any{
		"id": f.id, "factorType": f.kind.name, "provider": f.kind.provider, "vendorName": f.kind.provider, "status": f.status(),
		"created": stamp(f.created), "lastUpdated": stamp(f.updated), "_links": o.factorLinks(f),
	}
	if profile := f.profile(); profile != nil {
		rendered["profile"] = profile
	}
	return rendered
}

func (f *factor) profile() map[string]any {
	switch f.kind.name {
	case factorSMS:
		return map[string]any{"phoneNumber": f.target}
	case factorEmail:
		return map[string]any{"email": f.target}
	case factorTOTP:
		return map[string]any{"credentialId": f.owner.login}
	}
	if !f.active {
		return nil
	}
	if f.kind.name == factorWebAuthn {
		return map[string]any{"credentialId": f.secret, "authenticatorName": "Simulated key"}
	}
	return map[string]any{
		"credentialId": f.owner.login, "deviceType": "SmartPhone_IPhone", "name": "Simulated phone", "platform": "IOS", "version": "26.0",
	}
}

func (f *factor) path() string { return f.owner.factorsPath() + "/" + f.id }

func (o *Org) factorLinks(f *factor) map[string]any {
	links := map[string]any{"self": o.link(f.path(), "GET"), "user": o.link("/api/v1/users/"+f.owner.id, "GET")}
	switch {
	case f.active:
		links["self"] = o.link(f.path(), "GET", "DELETE")
		links["verify"] = o.link(f.path()+"/verify", "POST")
	case f.kind.name == factorPush:
		links["poll"] = o.link(f.path()+activatePath+"/poll", "POST")
	default:
		links["activate"] = o.link(f.path()+activatePath, "POST")
	}
	return links
}

const activatePath = "/lifecycle/activate"

// renderEnrolled gives a new factor with what the person needs to activate it.
func (o *Org) renderEnrolled(f *factor) map[string]any {
	rendered := o.renderFactor(f)
	if f.active {
		return rendered
	}
	if activation := o.activation(f); activation != nil {
		rendered["_embedded"] = map[string]any{"activation": activation}
	}
	return rendered
}

func (o *Org) activation(f *factor) map[string]any {
	switch f.kind.name {
	case factorPush:
		waiting := o.renderWaiting(f)
		delete(waiting["_links"].(map[string]any), "poll")
		return waiting
	case factorTOTP:
		return map[string]any{
			"timeStep": 30, "sharedSecret": base32.StdEncoding.EncodeToString([]byte(f.secret)), "encoding": "base32",
			"keyLength": len(f.secret), "_links": map[string]any{"qrcode": o.qrCode(f)},
		}
	case factorWebAuthn:
		return map[string]any{
			"attestation": "direct", "challenge": f.secret, "excludeCredentials": []any{},
			"authenticatorSelection": map[string]any{"userVerification": "preferred", "requireResidentKey": false},
			"pubKeyCredParams":       []any{map[string]any{"type": "public-key", "alg": -7}},
			"rp":                     map[string]any{"name": "Simulated"},
			"user":                   map[string]any{"displayName": f.owner.firstName, "name": f.owner.login, "id": f.owner.id},
		}
	}
	return nil
}

// renderWaiting gives a push that the person has still time to complete.
func (o *Org) renderWaiting(f *factor) map[string]any {
	send := []any{}
	for _, way := range []string{"email", "sms"} {
		link := o.link(f.path()+activatePath+"/"+way, "POST")
		link["name"] = way
		send = append(send, link)
	}
	return map[string]any{
		"expiresAt": stamp(f.expires), "factorResult": "WAITING",
		"_links": map[string]any{"poll": o.factorLinks(f)["poll"], "qrcode": o.qrCode(f), "send": send},
	}
}

// renderTimeout gives a push that nobody has completed in time.
func (o *Org) renderTimeout(f *factor) map[string]any {
	return map[string]any{
		"factorResult": "TIMEOUT", "_links": map[string]any{"activate": o.link(f.path()+activatePath, "POST")},
	}
}

func (o *Org) qrCode(f *factor) map[string]any {
	return map[string]any{"href": o.url(f.path() + "/qr/" + f.secret), "type": "image/png"}
}
