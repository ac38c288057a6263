package gitops

import (
	"encoding/json"
	"os"
	"strings"
)

// change is one of what the API server has noted.
type change struct {
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	ObjectRef  struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	RequestObject  json.RawMessage `json:"requestObject"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	ResponseObject struct {
		Metadata struct {
			UID        string `json:"uid"`
			Generation int64  `json:"generation"`
		} `json:"metadata"`
	} `json:"responseObject"`
	// spec tells that it changed the spec, which is when the generation goes up.
	spec bool
}

func (c change) String() string {
	return strings.Join([]string{c.User.Username, c.Verb, c.RequestURI, string(c.RequestObject)}, " ")
}

// changes are those made in a namespace, so far, in their order.
func (w *world) changes(namespace string) []change {
	w.Helper()
	text, err := os.ReadFile(cluster.audit)
	if err != nil {
		w.Fatal(err)
	}
	generations := map[string]int64{}
	var all []change
	for line := range strings.Lines(string(text)) {
		var c change
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			w.Fatalf("reading the audit log: %v", err)
		}
		if c.ObjectRef.Namespace != namespace || c.ResponseStatus.Code >= 300 || strings.Contains(c.RequestURI, "dryRun=All") {
			continue
		}
		made := c.ResponseObject.Metadata
		if c.Verb != "delete" && made.Generation > generations[made.UID] {
			c.spec, generations[made.UID] = true, made.Generation
		}
		all = append(all, c)
	}
	return all
}

// by are the changes that a program made to what people put into git.
func by(all []change, user string, that func(change) bool) []change {
	var found []change
	for _, c := range all {
		if c.User.Username == user && c.ObjectRef.Resource != "secrets" && that(c) {
			found = append(found, c)
		}
	}
	return found
}
