package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

func TestMain(m *testing.M) {
	if how := os.Getenv(standIn); how != "" {
		os.Exit(standInFor(how, os.Args[1]))
	}
	os.Exit(m.Run())
}

// standInFor makes a known number of calls: three groups, each looked at again, one of which is
// changed.
func standInFor(how, command string) int {
	text, err := os.ReadFile("main.tf")
	if err != nil {
		return 2
	}
	setting := func(name string) string {
		return regexp.MustCompile(`(?m)^ *` + name + ` *= "([^"]*)"`).FindStringSubmatch(string(text))[1]
	}
	if how == "fail" {
		fmt.Println("refused with", setting("access_token"))
		return 1
	}
	call := func(method, path string, body any) (string, int) {
		raw, _ := json.Marshal(body)
		request, _ := http.NewRequest(method, setting("http_proxy")+path, bytes.NewReader(raw))
		request.Header.Set("Authorization", "Bearer "+setting("access_token"))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", 1
		}
		defer func() { _ = response.Body.Close() }()
		var group struct{ ID string }
		if json.NewDecoder(response.Body).Decode(&group) != nil || response.StatusCode != http.StatusOK {
			return "", 1
		}
		return group.ID, 0
	}
	named := func(name string) any { return map[string]any{"profile": map[string]any{"name": name}} }
	state, err := os.ReadFile("state")
	if err != nil {
		var ids []string
		for i := range 3 {
			id, failed := call("POST", "/api/v1/groups", named(fmt.Sprint("group-", i)))
			if failed != 0 {
				return failed
			}
			ids = append(ids, id)
		}
		_ = os.WriteFile("state", []byte(strings.Join(ids, "\n")), 0o600)
		return 0
	}
	ids, failed := strings.Split(string(state), "\n"), 0
	for _, id := range ids {
		_, now := call("GET", "/api/v1/groups/"+id, nil)
		failed += now
	}
	if command == "apply" {
		_, now := call("PUT", "/api/v1/groups/"+ids[0], named("changed"))
		failed += now
	}
	return failed
}

// TestPeer holds that what is told of a peer is what the org counted.
func TestPeer(t *testing.T) {
	org := oktasim.New(oktasim.Options{Limits: oktasim.LimitsUnlimited})
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	org.SetBaseURL(server.URL)
	p, err := peerFrom(func(name string) string {
		return map[string]string{peerBinary: os.Args[0], peerProvider: os.Args[0]}[name]
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(standIn, "work")
	got, err := measurePeer(t.Context(), p, org, server.URL, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]effort{phaseCreate: {Calls: 3, Writes: 3}, phaseRefresh: {Calls: 3}, phaseChange: {Calls: 4, Writes: 1}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(effort{}, "Seconds")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPeerFails: a peer that gives up is told with its words, and without its token.
func TestPeerFails(t *testing.T) {
	org := oktasim.New(oktasim.Options{Limits: oktasim.LimitsUnlimited})
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	org.SetBaseURL(server.URL)
	t.Setenv(standIn, "fail")
	_, err := measurePeer(t.Context(), &peer{binary: os.Args[0], provider: os.Args[0], dir: t.TempDir()}, org, server.URL, 3, 1)
	if err == nil || !strings.Contains(err.Error(), "create: ") || !strings.Contains(err.Error(), "refused with (the access token)") {
		t.Errorf("got %v", err)
	}
}

func TestPeerFrom(t *testing.T) {
	for name, tc := range map[string]struct {
		environment map[string]string
		none, wrong bool
	}{
		"nothing":     {map[string]string{}, true, false},
		"both":        {map[string]string{peerBinary: "tofu", peerProvider: "provider"}, false, false},
		"no provider": {map[string]string{peerBinary: "tofu"}, true, true},
		"no binary":   {map[string]string{peerProvider: "provider"}, true, true},
	} {
		p, err := peerFrom(func(name string) string { return tc.environment[name] }, "")
		if (p == nil) != tc.none || (err != nil) != tc.wrong {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
}
