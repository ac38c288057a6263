package oktasim_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// outOfAdministration tells what of custom admin roles is not replayed.
func outOfAdministration(p pair) string {
	switch {
	case strings.Contains(p.Template, "/iam/assignees"):
		return "the list of administrators is not simulated"
	case p.Family == "iam" && strings.HasSuffix(p.Template, "/resources") && p.Method == http.MethodGet && asObject(p.answer()["_links"])["self"] == nil:
		return "recorded in 2022, before resources of a set had links of their own"
	case p.Family == "iam" && p.Template == resourceSets && p.Method == http.MethodGet:
		return "the resource sets that every org has are not simulated"
	}
	return ""
}

// prepareAdministration makes the roles and sets that a path leads through, with what the
// answer shows of them.
func (s *stage) prepareAdministration(p pair) error {
	if err := s.makeReferred(string(mustJSON(p.Request)) + string(mustJSON(p.Answer))); err != nil {
		return err
	}
	path, _, _ := strings.Cut(p.Path, "?")
	parts := strings.Split(strings.TrimPrefix(path, "/api/v1/iam/"), "/")
	if len(parts) < 2 {
		return nil
	}
	if parts[0] == "roles" {
		return s.makeAdminRole(parts[1], p.answer())
	}
	if err := s.makeResourceSet(parts[1], p.answer()); err != nil || len(parts) == 2 {
		return err
	}
	if parts[2] == "bindings" {
		return s.makeBinding(parts, p)
	}
	if len(parts) == 4 {
		// The one to be deleted is the first of two.
		_, answer := s.send(http.MethodGet, s.path(resourceSets+"/"+parts[1]+"/resources"), nil)
		s.ids[parts[3]] = asObject(asObject(answer)["resources"].([]any)[0])["id"].(string)
	}
	return nil
}

func (s *stage) makeAdminRole(id string, like object) error {
	permissions := []any{}
	listed, _ := like["permissions"].([]any)
	for _, each := range listed {
		permissions = append(permissions, asObject(each)["label"])
	}
	if len(permissions) == 0 {
		permissions = []any{"okta.apps.read"}
	}
	return s.create(iamRoles, id, over(like, object{"label": "role " + id, "description": "a role", "permissions": permissions}, "label"))
}

func (s *stage) makeResourceSet(id string, like object) error {
	resources := []any{}
	listed, _ := like["resources"].([]any)
	for _, each := range listed {
		resources = append(resources, response{Object: asObject(each)}.text("_links", "self", "href"))
	}
	if len(resources) == 0 {
		resources = []any{"https://example.okta.com/api/v1/authorizationServers", "https://example.okta.com/api/v1/authorizationServers/default"}
	}
	return s.create(resourceSets, id, object{"label": "set " + id, "description": "a set", "resources": resources})
}

func (s *stage) makeBinding(parts []string, p pair) error {
	role, _ := p.request()["role"].(string)
	if len(parts) > 3 {
		role = parts[3]
	}
	if err := s.makeAdminRole(role, nil); err != nil || p.Method == http.MethodPost {
		return err
	}
	members := []any{}
	listed, _ := p.answer()["members"].([]any)
	for _, each := range listed {
		members = append(members, response{Object: asObject(each)}.text("_links", "self", "href"))
	}
	body := s.translate(object{"role": role, "members": members})
	if status, answer := s.send(http.MethodPost, s.path(resourceSets+"/"+parts[1]+"/bindings"), body); status >= 300 {
		return errors.New(cause(answer))
	}
	return nil
}

// oktaID is an id of Okta's: of an org, a group, an app or a user.
var oktaID = regexp.MustCompile(`\b00[ogu][A-Za-z0-9]{17}\b|\b0oa[A-Za-z0-9]{17}\b`)

// makeReferred makes what a text names by address or by Okta's name of it.
func (s *stage) makeReferred(text string) error {
	for _, id := range oktaID.FindAllString(text, -1) {
		var err error
		switch {
		case s.ids[id] != "":
		case strings.HasPrefix(id, "00o"):
			_, answer := s.send(http.MethodGet, "/.well-known/okta-organization", nil)
			s.ids[id], _ = asObject(answer)["id"].(string)
		case strings.HasPrefix(id, "00g"):
			err = s.makeGroup("/api/v1/groups", id, nil)
		case strings.HasPrefix(id, "00u"):
			err = s.makeUser(id, nil)
		default:
			err = s.makeApp("/api/v1/apps", id, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// referred translates the ids in an address, or in Okta's name of something.
func (s *stage) referred(text string) string {
	if !strings.HasPrefix(text, "https://example.okta.com/api/v1/") && !strings.HasPrefix(text, "orn:") {
		return text
	}
	return oktaID.ReplaceAllStringFunc(text, func(id string) string {
		if ours, known := s.ids[id]; known {
			return ours
		}
		return id
	})
}
