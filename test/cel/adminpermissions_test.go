package cel

import (
	"regexp"
	"strings"
	"testing"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// TestAdmissionKnowsWhatEscalates: the list in the rule of a permission's name is the
// operator's. One that is longer would let in what the operator then refuses.
func TestAdmissionKnowsWhatEscalates(t *testing.T) {
	list := regexp.MustCompile(`self in \[('okta\.[^\]]*)\]`)
	for _, n := range nodes(schemas(t)["AIAgentRole"], "spec") {
		for _, rule := range n.XValidations {
			found := list.FindStringSubmatch(rule.Rule)
			if found == nil {
				continue
			}
			names := strings.Split(strings.ReplaceAll(found[1], "'", ""), ",")
			for _, name := range names {
				if why := identity.Escalates(name); why != "" {
					t.Errorf("admission lets %q in: %s", name, why)
				}
			}
			if all := identity.Harmless(); len(all) != len(names) {
				t.Errorf("admission lets %v in, the operator %v", names, all)
			}
			return
		}
	}
	t.Error("no rule has the list")
}
