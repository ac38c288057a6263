package gitops

import "testing"

// mode is a way in which Argo CD applies and compares. Its name is that of a namespace too.
type mode struct {
	name    string
	options []string
	// compare are options of the comparison.
	compare string
}

const serverSide = "ServerSideApply=true"

func modes() []mode {
	return []mode{
		{name: "client-side"},
		{name: "server-side", options: []string{serverSide}},
		{name: "server-side-diff", options: []string{serverSide}, compare: "ServerSideDiff=true"},
	}
}

func (m mode) console() string { return "console of " + m.name }

// labelled is that of an Argo CD which knows what is its own by a label, as its older versions did.
func labelled() mode { return mode{name: "label-tracking"} }

// TestArgoCD holds that manifests come to stand in any order, that nothing fights over them, and
// that what people do by hand and by git is followed, in each mode.
func TestArgoCD(t *testing.T) {
	w := newWorld(t)
	t.Run("modes", func(t *testing.T) {
		for _, m := range modes() {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				j := newJourney(w, t, m)
				j.anyOrder()
				j.noFight()
				j.heals()
				j.suspends()
				j.prunes()
				j.ends()
			})
		}
	})
	shell(t, `kubectl -n argocd patch configmap argocd-cm --type=merge -p '{"data":{"application.resourceTrackingMethod":"label"}}'`)
	w.restart() // what it holds in memory it knows by the annotation
	t.Run(labelled().name, func(t *testing.T) {
		j := newJourney(w, t, labelled())
		j.anyOrder()
		if got := j.object("AgentAPIKey", "chatbot").GetLabels()["app.kubernetes.io/instance"]; got != j.agents.name {
			t.Errorf("Argo CD tracks the key by the label %q, want %s", got, j.agents.name)
		}
		j.noFight()
		j.prunes()
		j.ends()
	})
}
