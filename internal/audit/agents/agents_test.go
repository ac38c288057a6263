package agents

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/desired"
)

func key(name, uid string) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(uid)},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: "chat"}, Agent: v1alpha1.Agent{Name: "Bot", Owners: []string{"ada@example.com"}},
		},
		Status: v1alpha1.AgentAPIKeyStatus{ObservedGeneration: 2, ClientID: "adopted-" + name, AppID: "0oa" + name},
	}
}

func role(name string) *v1alpha1.AIAgentRole {
	return &v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "role-" + types.UID(name)},
		Status:     v1alpha1.AIAgentRoleStatus{GroupID: "00g" + name},
	}
}

func TestIdentify(t *testing.T) {
	bot := &event.Agent{
		Object: event.Object{Namespace: "shop", Name: "bot", UID: "1"}, Agent: "Bot", ClientID: "adopted-bot", AppID: "0oabot",
		Owners: []string{"ada@example.com"}, Role: event.Object{Namespace: "shop", Name: "chat"}, Revision: 2,
	}
	chat := &event.Object{Namespace: "shop", Name: "chat", UID: "role-chat"}
	tests := map[string]struct {
		event  event.Event
		agent  *event.Agent
		role   *event.Object
		reason string
	}{
		"acts":          {event.Event{Actor: event.Party{ID: "adopted-bot"}}, bot, &bot.Role, "Okta calls a client that acts by its client id"},
		"by the client": {event.Event{Client: event.Client{ID: "adopted-bot"}}, bot, &bot.Role, "somebody who is no client acts through it"},
		"by its app": {
			event.Event{Targets: []event.Party{{ID: "00x"}, {ID: "0oabot", Type: "AppInstance"}}}, bot, &bot.Role, "an administrator changes the app",
		},
		"by its label": {
			event.Event{Targets: []event.Party{{ID: "0oanew", Type: "PublicClientApp", DisplayName: "k8s/prod/shop/bot"}}},
			bot, &bot.Role,
			"the app was made a moment ago, and the status does not say its id yet",
		},
		"a role by its group": {event.Event{Targets: []event.Party{{ID: "00gchat", Type: "UserGroup"}}}, nil, chat, "members are put into it"},
		"a role by its name": {
			event.Event{Targets: []event.Party{{ID: "00pnew", Type: "PolicyEntity", DisplayName: "k8s/prod/shop/chat"}}},
			nil, chat,
			"its access policy has the name of the role",
		},
		"no key by a role's name": {
			event.Event{Targets: []event.Party{{ID: "00gnew", Type: "UserGroup", DisplayName: "k8s/prod/shop/bot"}}},
			nil, nil,
			"a group of that name is that of a role, which there is not",
		},
		"our own": {
			event.Event{Targets: []event.Party{{ID: "AgentAPIKey/shop/bot", Type: "AgentAPIKey"}}}, bot, &bot.Role, "the operator acts for it",
		},
		"another cluster's": {
			event.Event{Targets: []event.Party{{ID: "0oax", Type: "AppInstance", DisplayName: "k8s/test/shop/bot"}}}, nil, nil, "it is none of ours",
		},
		"nobody":    {event.Event{}, nil, nil, "nothing has an empty name"},
		"not known": {event.Event{Actor: event.Party{ID: "00u1", AlternateID: "unknown"}}, nil, nil, "somebody signs in to something else"},
	}
	x := New("prod", clock.RealClock{})
	for _, obj := range []any{key("bot", "1"), role("chat")} {
		x.Handler().OnAdd(obj, true)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := tt.event
			x.Identify(&e)
			if diff := cmp.Diff(tt.agent, e.Agent); diff != "" {
				t.Errorf("agent (%s) (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.role, e.Role); diff != "" {
				t.Errorf("role (%s) (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// TestGone holds that objects are remembered when they are gone, that a namesake is another,
// and that memory does not grow without end.
func TestGone(t *testing.T) {
	x := New("prod", clock.RealClock{})
	h := x.Handler()
	who := func(id string) string {
		e := event.Event{Actor: event.Party{ID: id}}
		x.Identify(&e)
		if e.Agent == nil {
			return ""
		}
		return e.Agent.UID
	}
	h.OnAdd(key("bot", "1"), false)
	h.OnDelete(toolscache.DeletedFinalStateUnknown{Obj: key("bot", "1")})
	if got := who("0oabot"); got != "1" {
		t.Errorf("what is told late of a key that is gone is of %q", got)
	}
	second := key("bot", "2")
	second.Status.AppID = "0oasecond"
	h.OnAdd(second, false)
	if first, later := who("0oabot"), who("0oasecond"); first != "1" || later != "2" {
		t.Errorf("the first app is of %q, the second of %q", first, later)
	}
	for i := range 2 * recent {
		k := key(fmt.Sprint("k", i), fmt.Sprint("u", i))
		h.OnAdd(k, false)
		h.OnDelete(k)
	}
	if got := who("0oabot"); got != "" {
		t.Errorf("a key that is long gone is still known: %q", got)
	}
	if got := who("0oasecond"); got != "2" {
		t.Errorf("the key that exists is %q", got)
	}
	if most := 5 * (recent + 1); len(x.agents) > most || len(x.named) > recent+1 {
		t.Errorf("%d names of %d objects are known", len(x.agents), len(x.named))
	}
}

// TestNamesakes holds that what happened before an object was made is not told as its own: the
// namespace may have been another team's.
func TestNamesakes(t *testing.T) {
	x := New("prod", clock.RealClock{})
	made := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	bot, chat := key("bot", "2"), role("chat")
	bot.CreationTimestamp, chat.CreationTimestamp = metav1.NewTime(made), metav1.NewTime(made)
	x.put(bot)
	x.put(chat)
	derived := desired.ClientID("prod", "shop", "bot")
	for name, e := range map[string]event.Event{
		"the client id": {Actor: event.Party{ID: derived}},
		"the label":     {Targets: []event.Party{{ID: "0oaX", DisplayName: "k8s/prod/shop/bot"}}},
		"the role":      {Targets: []event.Party{{ID: "00pX", Type: "PolicyEntity", DisplayName: "k8s/prod/shop/chat"}}},
	} {
		for _, tt := range []struct {
			when time.Time
			its  bool
		}{{made.Add(-time.Hour), false}, {made.Add(-time.Minute), true}, {made.Add(time.Hour), true}} {
			e.Published = tt.when
			x.Identify(&e)
			if got := e.Agent != nil || e.Role != nil; got != tt.its {
				t.Errorf("by %s at %s: %t, want %t", name, tt.when, got, tt.its)
			}
		}
	}
	of := event.Event{Targets: []event.Party{{ID: "0oabot", Type: "AppInstance"}}, Published: made.Add(-time.Hour)}
	if x.Identify(&of); of.Agent == nil {
		t.Error("the app's id is nobody else's: what happened to it before it was adopted is told")
	}
}

// TestIdsBeforeNames holds that nobody hides what is done to an agent behind another's name.
func TestIdsBeforeNames(t *testing.T) {
	x := New("prod", clock.RealClock{})
	x.put(key("bot", "1"))
	x.put(key("other", "2"))
	for name, tt := range map[string]struct {
		event event.Event
		want  string
	}{
		"a login like another's client id": {event.Event{
			Type: "app.oauth2.credentials.lifecycle.create", Actor: event.Party{ID: "00u1", AlternateID: "adopted-other"},
			Targets: []event.Party{{ID: "0oabot", Type: "AppInstance"}},
		}, "1"},
		"a label like another's": {event.Event{
			Type: "application.lifecycle.update", Targets: []event.Party{{ID: "0oaX", DisplayName: "k8s/prod/shop/other"}, {ID: "0oabot"}},
		}, "1"},
		"one agent does it to another": {event.Event{
			Type: "app.oauth2.credentials.lifecycle.create", Actor: event.Party{ID: "adopted-other"}, Targets: []event.Party{{ID: "0oabot"}},
		}, "1"},
		"an agent's token": {event.Event{
			Type: "app.oauth2.as.token.grant.access_token", Actor: event.Party{ID: "adopted-other"}, Targets: []event.Party{{ID: "0oabot"}},
		}, "2"},
		"only a name": {event.Event{Actor: event.Party{ID: "00u1", AlternateID: "adopted-other"}}, "2"},
	} {
		if x.Identify(&tt.event); tt.event.Agent == nil || tt.event.Agent.UID != tt.want {
			t.Errorf("%s: got %+v, want the agent of uid %s", name, tt.event.Agent, tt.want)
		}
	}
}
