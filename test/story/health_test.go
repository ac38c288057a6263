package story

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// checkHealth holds that Argo CD, by the script of config/gitops, sees what kstatus sees, and Flux
// too, in every state that any story watches.
func (w *world) checkHealth(obj settled, content map[string]any, is status.Status) {
	w.Helper()
	want := map[status.Status]string{
		status.CurrentStatus: "Healthy", status.InProgressStatus: "Progressing", status.TerminatingStatus: "Progressing",
		status.FailedStatus: "Degraded",
	}[is]
	ready := meta.FindStatusCondition(*obj.StatusConditions(), v1alpha1.ConditionReady)
	ended := []string{v1alpha1.ReasonSuspended, v1alpha1.ReasonQuarantined, v1alpha1.ReasonExpired}
	suspended := ready != nil && slices.Contains(ended, ready.Reason) && is != status.TerminatingStatus && ready.ObservedGeneration == obj.GetGeneration()
	if suspended {
		want = "Suspended"
	}
	if got, message := health(w.T, content); got != want || message == "" {
		w.Errorf("Argo CD would call %s %s (%s), want %s; conditions: %s", obj.GetName(), got, message, want, conditionsOf(obj))
	}
	w.checkFlux(obj, content, is, suspended)
}

// health runs the script as Argo CD does.
func health(t *testing.T, object map[string]any) (status, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", inLua(state, object))
	if err := state.DoFile(filepath.Join(root, "config", "gitops", "health.lua")); err != nil {
		t.Fatal(err)
	}
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatal("the script gives no table")
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

// inLua is JSON as Lua has it.
func inLua(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for name, member := range v {
			table.RawSetString(name, inLua(state, member))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, member := range v {
			table.Append(inLua(state, member))
		}
		return table
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	}
	return lua.LNil
}

// TestArgoCDKnowsEveryKind: what is to be merged into Argo CD's configuration has the script, for
// each of our kinds.
func TestArgoCDKnowsEveryKind(t *testing.T) {
	var config struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "config", "gitops", "argocd-cm.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	script := read(t, "config", "gitops", "health.lua")
	var want []string
	for _, kind := range []string{"AIAgentRole", "AccessPolicy", "AgentAPIKey", "AuditSink"} {
		name := "resource.customizations.health.agentidentity.dev_" + kind
		if want = append(want, name); config.Data[name] != script {
			t.Errorf("%s is not config/gitops/health.lua", name)
		}
	}
	if got := slices.Sorted(maps.Keys(config.Data)); !slices.Equal(got, want) {
		t.Errorf("keys %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	if _, err := os.Stat(filepath.Join(root, "config", "gitops", "flux-kustomization.yaml")); err != nil {
		t.Error(err)
	}
}

// TestSinkWaitsForItsSecret: an AuditSink may be applied before what it names, and is not Degraded
// then, which would end the sync of an application; one that names what is there wrongly is.
func TestSinkWaitsForItsSecret(t *testing.T) {
	w := newWorld(t, oktasim.Options{})
	w.start(impatient, w.atHome, listening)
	collector := newCollector(t)
	early, misspelt := w.sink(collector, w.namespace, "early"), w.sink(collector, w.namespace, "misspelt")
	w.trusted(collector, w.namespace, "misspelt")
	misspelt.Spec.Output.HTTP.Headers[0].Value.Key = "authorisation"
	w.create(early, misspelt)
	for want, sink := range map[string]*v1alpha1.AuditSink{v1alpha1.ConditionReconciling: early, v1alpha1.ConditionStalled: misspelt} {
		w.waitReason(sink.Name, sink, v1alpha1.ReasonCredentialsNotFound)
		if !meta.IsStatusConditionTrue(sink.Status.Conditions, want) {
			t.Errorf("AuditSink %s is not %s: %s", sink.Name, want, conditionsOf(sink))
		}
	}
}
