package oktasim_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pair is a request to a real Okta org and its answer.
type pair struct {
	Family     string
	Method     string
	Path       string
	Template   string
	Request    any `json:"request_body"`
	Status     int
	Answer     any `json:"response_body"`
	Cassette   string
	Origin     string
	Occurrence int `json:"interaction"`
}

func (p pair) key() string {
	return fmt.Sprintf("%s %s#%d@%.7s", p.Method, p.Cassette, p.Occurrence, p.Origin)
}

func (p pair) request() object { o, _ := p.Request.(object); return o }

func (p pair) answer() object { o, _ := p.Answer.(object); return o }

const unsatisfiedFile = "testdata/unsatisfied.json"

// TestRecordedPairs replays what real orgs have answered. A pair that the org
// cannot satisfy stands in testdata/unsatisfied.json with a reason; the list may
// only shrink.
func TestRecordedPairs(t *testing.T) {
	pairs := readPairs(t, coveredFamilies()...)
	listed := readUnsatisfied(t)
	excluded, passed := map[string]int{}, 0
	failed := map[string]string{}
	vary := variable()
	for _, p := range pairs {
		if reason := outOfScope(p); reason != "" {
			excluded[reason]++
			continue
		}
		if err := replay(t, vary, p); err != nil {
			failed[p.key()] = err.Error()
			continue
		}
		passed++
	}
	if os.Getenv("OKTASIM_UPDATE") != "" {
		for key := range failed {
			if listed[key] != "" {
				failed[key] = listed[key]
			}
		}
		writeUnsatisfied(t, failed)
		return
	}
	for key, problem := range failed {
		if listed[key] == "" {
			t.Errorf("%s: %s", key, problem)
		}
	}
	for key := range listed {
		if failed[key] == "" {
			t.Errorf("%s is satisfied, or gone: take it off %s", key, unsatisfiedFile)
		}
	}
	t.Logf("recorded pairs of the covered families: %d satisfied, %d not (listed), %d out of scope", passed, len(failed), total(excluded))
	for _, reason := range slices.Sorted(maps.Keys(excluded)) {
		t.Logf("out of scope: %4d %s", excluded[reason], reason)
	}
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func readPairs(t *testing.T, families ...string) []pair {
	t.Helper()
	file, err := os.Open(filepath.Join(data(t), "recorded.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 16<<20)
	var pairs []pair
	for lines.Scan() {
		var p pair
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(families, p.Family) {
			pairs = append(pairs, p)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return pairs
}

func coveredFamilies() []string {
	return []string{
		"group", "group-users", "authserver", "app", "app-credentials", "app-lifecycle", "org", "user",
		"policy", "zone", "device-assurance", "iam",
	}
}

// outOfScope is the one rule for what is not replayed at all.
func outOfScope(p pair) string {
	switch {
	case strings.Contains(p.Template, "/claims"), strings.Contains(p.Template, "/clients/"),
		strings.Contains(p.Template, "/credentials/keys"):
		return "claims, refresh tokens and signing keys are not simulated"
	case p.Template == "/api/v1/org":
		return "the org's own address and contacts are not simulated"
	case outOfAccess(p) != "":
		return outOfAccess(p)
	case outOfAdministration(p) != "":
		return outOfAdministration(p)
	case strings.HasPrefix(p.Template, "/api/v1/users") && p.Method != "GET":
		return "users are made by a test, not by the API"
	case p.Status == 500:
		return "a server error, which the org gives only when it is injected"
	case strings.HasPrefix(p.Template, "/api/v1/apps") && !oidcOnly(p):
		return "an app of another kind than oidc_client"
	}
	return ""
}

// oidcOnly tells by the answer, and where it does not say, by the request. No app
// that was refused or activated in the recordings is an oidc_client.
func oidcOnly(p pair) bool {
	if p.Status == 404 {
		return true
	}
	if strings.Contains(p.Template, "/credentials/") {
		return true
	}
	if all, isList := p.Answer.([]any); isList {
		return !slices.ContainsFunc(all, func(each any) bool { return each.(object)["name"] != "oidc_client" })
	}
	return p.answer()["name"] == "oidc_client"
}

// readUnsatisfied gives the reason of each listed pair.
func readUnsatisfied(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(unsatisfiedFile)
	if err != nil {
		t.Fatal(err)
	}
	var grouped map[string][]string
	if err := json.Unmarshal(raw, &grouped); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for reason, keys := range grouped {
		for _, key := range keys {
			reasons[key] = reason
		}
	}
	return reasons
}

func writeUnsatisfied(t *testing.T, failed map[string]string) {
	t.Helper()
	grouped := map[string][]string{}
	for key, problem := range failed {
		grouped[problem] = append(grouped[problem], key)
	}
	for _, keys := range grouped {
		slices.Sort(keys)
	}
	var raw bytes.Buffer
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(grouped); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unsatisfiedFile, raw.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
