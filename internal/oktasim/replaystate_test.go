package oktasim_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// stage is an org in which the state before a recorded request is made up, from
// what the request and its answer tell of it.
type stage struct {
	t   *testing.T
	org *oktasim.Org
	key string
	// ids translates recorded ids into the org's.
	ids map[string]string
	// kind is the type of the policy the pair is about.
	kind    string
	classic bool
}

func replay(t *testing.T, vary *regexp.Regexp, p pair) error {
	t.Helper()
	classic := strings.Contains(string(mustJSON(p)), `"factors":{`)
	org := oktasim.New(oktasim.Options{
		Classic: classic,
		BaseURL: "https://example.okta.com", Limits: oktasim.LimitsUnlimited,
		NoAPIAccessManagement: p.answer()["errorCode"] == "E0000015",
	})
	s := &stage{t: t, org: org, key: "SSWS " + org.AddAPIToken(), ids: map[string]string{}, kind: p.policyType(), classic: classic}
	if err := s.prepare(p); err != nil {
		return fmt.Errorf("the state before it cannot be made: %w", err)
	}
	var body any
	if p.Request != nil {
		body = s.translate(p.request())
	}
	status, answer := s.send(p.Method, s.path(p.Path), body)
	if status != p.Status {
		return fmt.Errorf("status %d instead of %d: %s", status, p.Status, cause(answer))
	}
	return sameShape(vary, p.Answer, answer)
}

// cause tells a refusal without its ids, so that the same reason groups.
func cause(answer any) string {
	r := response{Object: asObject(answer)}
	text := r.cause()
	if text == "" {
		text = r.text("errorSummary")
	}
	if field, rest, found := strings.Cut(text, ": "); found && strings.HasPrefix(field, "profile.") {
		return "profile.*: " + rest
	}
	return text
}

func asObject(value any) object { o, _ := value.(object); return o }

func (s *stage) send(method, path string, body any) (int, any) {
	var raw []byte
	if body != nil {
		raw = encode(s.t, body)
	}
	request := httptest.NewRequest(method, path, bytes.NewReader(raw))
	request.Header.Set("Authorization", s.key)
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	s.org.ServeHTTP(recorder, request)
	var answer any
	if recorder.Body.Len() > 0 {
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			s.t.Fatal(err)
		}
	}
	return recorder.Code, answer
}

// create makes an object and remembers which recorded one it stands for.
func (s *stage) create(path, recorded string, body object) error {
	status, answer := s.send(http.MethodPost, path, s.translate(body))
	if status >= 300 {
		return errors.New(cause(answer))
	}
	s.ids[recorded], _ = asObject(answer)["id"].(string)
	return nil
}

// path translates the ids in a recorded path.
func (s *stage) path(recorded string) string {
	path, query, found := strings.Cut(recorded, "?")
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if id, known := s.ids[segment]; known {
			segments[i] = id
		}
	}
	path = strings.Join(segments, "/")
	if found {
		path += "?" + query
	}
	return path
}

// translate copies a recorded body with the org's ids, and with secrets as long as
// they were before they were scrubbed.
func (s *stage) translate(body object) object {
	return s.translated(body).(object)
}

func (s *stage) translated(value any) any {
	switch v := value.(type) {
	case object:
		copied := object{}
		for name, each := range v {
			copied[name] = s.translated(each)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, each := range v {
			copied[i] = s.translated(each)
		}
		return copied
	case string:
		if id, known := s.ids[v]; known {
			return id
		}
		var length int
		if _, err := fmt.Sscanf(v, "SCRUBBED-%d", &length); err == nil {
			return strings.Repeat("s", length)
		}
		return s.referred(v)
	}
	return value
}

// prepare makes what must exist for the request to have had its answer.
func (s *stage) prepare(p pair) error {
	if p.Status >= 400 || !strings.HasPrefix(p.Path, "/api/v1/") {
		return nil
	}
	if p.Family == "iam" {
		return s.prepareAdministration(p)
	}
	if err := s.prepareReferences(p); err != nil {
		return err
	}
	path, _, _ := strings.Cut(p.Path, "?")
	segments := strings.Split(strings.TrimPrefix(path, "/api/v1/"), "/")
	if all, isList := p.Answer.([]any); isList {
		if err := s.prepareParents(segments, nil); err != nil {
			return err
		}
		return s.prepareElements(p, all)
	}
	if p.Method == http.MethodPost && !strings.Contains(path, "/lifecycle/") {
		return s.prepareParents(segments, nil)
	}
	if err := s.prepareParents(segments, p.existing()); err != nil {
		return err
	}
	return s.prepareStatus(p, path)
}

// prepareStatus switches an object off that the request needs to be off.
func (s *stage) prepareStatus(p pair, path string) error {
	object, activate := strings.CutSuffix(path, "/lifecycle/activate")
	deleted := p.Method == http.MethodDelete &&
		(p.Template == "/api/v1/authorizationServers/{id}" || p.Template == "/api/v1/zones/{id}")
	if !activate && !deleted {
		return nil
	}
	if status, answer := s.send(http.MethodPost, s.path(object)+"/lifecycle/deactivate", nil); status >= 300 {
		return errors.New(cause(answer))
	}
	return nil
}

// existing is what tells most of the object a request is for.
func (p pair) existing() object {
	if p.Method == http.MethodPut && strings.HasPrefix(p.Template, "/api/v1/apps") {
		return over(object{"status": p.answer()["status"]}, p.request())
	}
	return p.answer()
}

// prepareParents makes the objects a path leads through; the last one is like last.
func (s *stage) prepareParents(segments []string, last object) error {
	for i := 1; i < len(segments); i += 2 {
		id := segments[i]
		if id == "default" || s.ids[id] != "" || segments[i-1] == "credentials" || segments[i-1] == "lifecycle" {
			continue
		}
		like := object{}
		if i == len(segments)-1 {
			like = last
		}
		parent := s.path("/api/v1/" + strings.Join(segments[:i], "/"))
		if err := s.make(segments[i-1], parent, id, like); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) make(kind, path, id string, like object) error {
	switch kind {
	case "groups":
		return s.makeGroup(path, id, like)
	case "apps":
		return s.makeApp(path, id, like)
	case "users":
		return s.makeUser(id, like)
	case "authorizationServers":
		return s.create(path, id, over(like, object{"name": "server " + id, "audiences": []any{"api://x"}},
			"name", "description", "audiences", "issuerMode", "credentials"))
	case "zones":
		return s.makeZone(id, like)
	case "device-assurances":
		return s.makeAssurance(id, like)
	case "scopes":
		return s.create(path, id, over(like, object{"name": "scope-" + id},
			"name", "displayName", "description", "consent", "metadataPublish", "default", "optional"))
	case "policies":
		if path == policies {
			return s.makeOrgPolicy(id, s.kind, like)
		}
		return s.create(path, id, over(like, policyBody("policy "+id, "ALL_CLIENTS"), "name", "description", "status", "conditions"))
	case "rules":
		if strings.HasPrefix(path, policies) {
			return s.makeOrgRule(path, id, like)
		}
		return s.create(path, id, over(like, ruleBody("rule "+id), "name", "status", "conditions", "actions"))
	}
	return fmt.Errorf("no state is known for %s", kind)
}

func (s *stage) makeGroup(path, id string, like object) error {
	profile := asObject(like["profile"])
	if like["type"] == "BUILT_IN" {
		s.ids[id] = s.org.Snapshot().Groups[0].ID
		return nil
	}
	if kind := like["type"]; kind != nil && kind != "OKTA_GROUP" {
		return fmt.Errorf("groups of type %v are not simulated", kind)
	}
	return s.create(path, id, object{"profile": over(profile, object{"name": "group " + id})})
}

// makeUser gives every user another login: the recorded ones are scrubbed.
func (s *stage) makeUser(id string, like object) error {
	profile := response{Object: asObject(like["profile"])}
	status, _ := like["status"].(string)
	made, err := s.org.CreateUser(oktasim.NewUser{
		Login: id + "@example.com", Status: status, FirstName: profile.text("firstName"), LastName: profile.text("lastName"),
	})
	s.ids[id] = made
	return err
}

// makeApp makes an app from its own answer, or from the body that replaces it.
func (s *stage) makeApp(path, id string, like object) error {
	body := serviceApp("", "app "+id)
	if len(like) > 0 {
		body = over(like, body, "name", "label", "signOnMode", "accessibility", "visibility", "profile", "credentials", "settings")
		client := asObject(asObject(body["credentials"])["oauthClient"])
		if client["client_id"] == id {
			// Okta's own choice, which cannot be wished for.
			delete(client, "client_id")
		}
	}
	if like["status"] == "INACTIVE" {
		path += "?activate=false"
	}
	return s.create(path, id, body)
}

// over lays the named fields of like, or all, over a body that is good by itself.
func over(like, body object, names ...string) object {
	merged := object{}
	for name, value := range body {
		merged[name] = value
	}
	for name, value := range like {
		if value == nil {
			continue
		}
		for _, wanted := range names {
			if wanted == name {
				merged[name] = clone(value)
			}
		}
		if len(names) == 0 {
			merged[name] = value
		}
	}
	return merged
}

func clone(value any) any {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var copied any
	if err := json.Unmarshal(raw, &copied); err != nil {
		panic(err)
	}
	return copied
}

// prepareElements makes the objects a list gave.
func (s *stage) prepareElements(p pair, all []any) error {
	path, _, _ := strings.Cut(p.Path, "?")
	if strings.HasSuffix(path, "/credentials/secrets") {
		return nil
	}
	kind := path[strings.LastIndex(path, "/")+1:]
	for _, each := range all {
		element := asObject(each)
		id, _ := element["id"].(string)
		if element["system"] == true || element["default"] == true || s.ids[id] != "" {
			continue
		}
		if err := s.make(kind, s.path(path), id, element); err != nil {
			return err
		}
		if kind == "users" && strings.HasSuffix(p.Template, "/groups/{id}/users") {
			group := path[:strings.LastIndex(path, "/")]
			s.send(http.MethodPut, s.path(group+"/users/"+id), nil)
		}
	}
	return nil
}

// prepareReferences makes the groups and clients that a body names.
func (s *stage) prepareReferences(p pair) error {
	for _, body := range []object{p.answer(), p.request()} {
		if p.Family == "policy" {
			if err := s.makeReferences(body); err != nil {
				return err
			}
			continue
		}
		conditions := asObject(body["conditions"])
		people := asObject(conditions["people"])
		groups, _ := asObject(people["groups"])["include"].([]any)
		for _, id := range groups {
			if text, _ := id.(string); text != "EVERYONE" && s.ids[text] == "" {
				if err := s.makeGroup("/api/v1/groups", text, nil); err != nil {
					return err
				}
			}
		}
		clients, _ := asObject(conditions["clients"])["include"].([]any)
		for _, id := range clients {
			if text, _ := id.(string); text != "ALL_CLIENTS" && s.ids[text] == "" {
				if err := s.create("/api/v1/apps", text, serviceApp("", "app "+text)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
