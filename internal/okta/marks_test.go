package okta

import (
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

func TestSplitMark(t *testing.T) {
	mine := identity.Mark{Cluster: "c", Kind: "AIAgentRole", Namespace: "a", Name: "r", UID: "1"}
	other := identity.Mark{Cluster: "c", Kind: "AIAgentRole", Namespace: "b", Name: "victim", UID: "2"}
	for name, test := range map[string]struct {
		reason      string
		description string
		text        string
		mark        identity.Mark
	}{
		"ours":    {"what is written is read back", withMark("text\nin two lines", mine), "text\nin two lines", mine},
		"empty":   {"no text needs no line", withMark("", mine), "", mine},
		"none":    {"a text of somebody else", "Everyone", "Everyone", identity.Mark{}},
		"spoofed": {"a text may hold the mark of somebody else; the last one counts", withMark(other.String()+"\nx", mine), other.String() + "\nx", mine},
		"edited":  {"a person added words behind", withMark("text", mine) + "\nnote", "text\nnote", mine},
	} {
		t.Run(name, func(t *testing.T) {
			text, mark := splitMark(test.description)
			if text != test.text || mark != test.mark {
				t.Errorf("%s: got %q, %v", test.reason, text, mark)
			}
		})
	}
	if _, mark := splitMark(operatorMark("c").String()); mark != operatorMark("c") {
		t.Errorf("the operator's mark is not read back: %v", mark)
	}
}

func TestPolicyMark(t *testing.T) {
	long := identity.Mark{
		Cluster: "production-europe-west-1", Kind: "AIAgentRole", Namespace: strings.Repeat("n", 63),
		Name: strings.Repeat("r", 252) + "a", UID: "0f8fad5b-d9cb-469f-a165-70867728950e",
	}
	twin := long
	twin.Name = strings.Repeat("r", 252) + "b"
	short := policyMark(long)
	if len(short.String()) > maxPolicyDescription {
		t.Errorf("the mark of an owner with a long name takes %d characters of %d", len(short.String()), maxPolicyDescription)
	}
	if read, ok := identity.ParseMark(short.String()); !ok || read != short || policyMark(read) != short {
		t.Errorf("the shortened mark is not read back: %v", read)
	}
	if short == policyMark(twin) {
		t.Error("two owners have one mark")
	}
	later := long
	later.UID, later.Since = "short", 1_700_000_000
	if policyKey(long) != policyKey(later) || policyKey(short) != policyKey(long) || !policyMark(later).Succeeds(short) {
		t.Errorf("namesakes with a long name are none as they are written: %v, %v", short, policyMark(later))
	}
	if mine := (identity.Mark{Cluster: "c", Kind: "K", Namespace: "n", Name: "m", UID: "u"}); policyMark(mine) != mine {
		t.Error("a mark that fits is shortened")
	}
}
