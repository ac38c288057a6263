package story

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// What nearly every key ends as.
const (
	readyState = v1alpha1.ReasonReady
	adopted    = readyState + ", " + v1alpha1.ConditionForeignCredential
	ourApp     = "same, ACTIVE, ours"
)

// working is a key as it was.
func working(change ...func(*outcome)) outcome {
	o := outcome{Key: readyState, App: ourApp, Live: 1, Secret: "same", Old: "a", New: "a"}
	for _, c := range change {
		c(&o)
	}
	return o
}

func rows() []row {
	var all []row
	for _, some := range [][]row{createdRows(), editedRows(), endedRows(), returnedRows(), peopleRows()} {
		all = append(all, some...)
	}
	return all
}

func nothing(*world, *v1alpha1.AgentAPIKey) {}

func createdRows() []row {
	return []row{
		{
			what: "create", do: nothing,
			cells: []cell{{says: "makes an app, a credential and the Secret; `Ready` after a token was granted", want: working()}},
		},
		{
			what: "create, with `adopt`", do: nothing, adopt: true,
			cells: []cell{{
				says: "takes the app over and adds a credential of its own; what the app let in before stays, and is told as `ForeignCredential`",
				want: working(func(o *outcome) { o.Key = adopted }),
			}},
		},
		{
			what: "rotate", do: rotate,
			cells: []cell{{
				says: "publishes a new credential; the one before works on for `overlap`, and longer while pods have it",
				want: working(func(o *outcome) { o.Live, o.Secret = 2, "another credential" }),
			}},
		},
		{
			what: "rotate, after `overlap`", do: func(w *world, key *v1alpha1.AgentAPIKey) {
				rotate(w, key)
				w.pass(time.Hour)
			},
			cells: []cell{{
				says: "ends the one before in Okta", want: working(func(o *outcome) { o.Secret, o.Old = "another credential", "" }),
			}},
		},
		{
			what: "rotate, with `adopt`", do: rotate, adopt: true,
			cells: []cell{{
				says: "replaces the key's own credential only",
				want: working(func(o *outcome) { o.Key, o.Live, o.Secret = adopted, 2, "another credential" }),
			}},
		},
	}
}

func rotate(w *world, _ *v1alpha1.AgentAPIKey) {
	w.requestRotation("bot", "now")
	w.waitRotation("bot", "now")
}

// editing changes the spec.
func editing(change func(w *world, s *v1alpha1.AgentAPIKeySpec)) func(*world, *v1alpha1.AgentAPIKey) {
	return func(w *world, _ *v1alpha1.AgentAPIKey) {
		w.editKey("bot", func(s *v1alpha1.AgentAPIKeySpec) { change(w, s) })
	}
}

func editedRows() []row {
	suspend := editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) { s.State = v1alpha1.StateSuspended })
	inactive := func(reason string) outcome {
		return outcome{Key: reason, App: "same, INACTIVE, ours", Live: 1, Secret: "same"}
	}
	return []row{
		{
			what: "edit `roleRef`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) { s.RoleRef.Name = "other" }),
			cells: []cell{{
				says: "gives the other role's permissions, never both, with the same credential",
				want: working(func(o *outcome) { o.Secret, o.Old, o.New = "same credential", "b", "b" }),
			}},
		},
		{
			what: "edit `agent`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) { s.Agent.Purpose = "Answers." }),
			cells: []cell{{
				says: "writes it into the app's notes", want: working(func(o *outcome) { o.App = ourApp + ", says something else" }),
			}},
		},
		{
			what: "edit `secret.preset`, `secret.template`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) {
				s.Secret.Preset = v1alpha1.PresetEnvironment
			}),
			cells: []cell{{
				says: "writes the Secret anew, with the same credential",
				want: working(func(o *outcome) { o.Secret = "same credential" }),
			}},
		},
		{
			what: "edit `rotation`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) {
				s.Rotation = &v1alpha1.Rotation{Every: &metav1.Duration{Duration: 24 * time.Hour}}
			}),
			cells: []cell{{says: "counts from when the credential was made; replaces nothing before", want: working()}},
		},
		{
			what: "edit `restartTargets`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) {
				s.RestartTargets = []v1alpha1.RestartTarget{{Kind: "Deployment", Name: "app"}}
			}),
			cells: []cell{{says: "restarts nothing before the Secret changes", want: working()}},
		},
		{
			what: "edit `state` to `Suspended`", do: suspend,
			cells: []cell{{says: "deactivates the app: no token is issued; the Secret stays", want: inactive(v1alpha1.ReasonSuspended)}},
		},
		{
			what: "edit `state` back to `Active`", do: func(w *world, key *v1alpha1.AgentAPIKey) {
				suspend(w, key)
				w.waitReason("bot", key, v1alpha1.ReasonSuspended)
				editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) { s.State = v1alpha1.StateActive })(w, key)
			},
			cells: []cell{{says: "activates it; the same credential works again", want: working()}},
		},
		{
			what: "edit `expiresAt`, or it passes", do: editing(func(w *world, s *v1alpha1.AgentAPIKeySpec) {
				s.ExpiresAt = &metav1.Time{Time: w.now().Add(-time.Minute)}
			}),
			cells: []cell{{says: "as `Suspended`; a later `expiresAt` undoes it", want: inactive(v1alpha1.ReasonExpired)}},
		},
		{
			what: "edit `deletionPolicy`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) {
				s.DeletionPolicy = map[v1alpha1.DeletionPolicy]v1alpha1.DeletionPolicy{
					v1alpha1.DeletionDelete: v1alpha1.DeletionRetain, v1alpha1.DeletionRetain: v1alpha1.DeletionDeactivate,
					v1alpha1.DeletionDeactivate: v1alpha1.DeletionDelete,
				}[s.DeletionPolicy]
			}),
			cells: []cell{{says: "counts when the key is deleted, also while that is under way", want: working()}},
		},
		{
			what: "edit `driftPolicy`", do: editing(func(_ *world, s *v1alpha1.AgentAPIKeySpec) {
				s.DriftPolicy = map[v1alpha1.DriftPolicy]v1alpha1.DriftPolicy{
					v1alpha1.DriftEnforce: v1alpha1.DriftReport, v1alpha1.DriftReport: v1alpha1.DriftEnforce,
				}[s.DriftPolicy]
			}),
			cells: []cell{{says: "`Enforce` undoes at once what was told before", want: working()}},
		},
		{
			what: "edit `delivery`, `secret.name`, `adopt`", do: refused,
			cells: []cell{{says: "is refused: create a second key and move the agent", want: working()}},
		},
	}
}

// refused tries to change what cannot be changed.
func refused(w *world, key *v1alpha1.AgentAPIKey) {
	w.Helper()
	for _, patch := range []string{
		`{"spec":{"delivery":"ClientSecret"}}`, `{"spec":{"secret":{"name":"another"}}}`, `{"spec":{"adopt":{"clientID":"0oa123456789"}}}`,
	} {
		if err := cluster.admin.Patch(w.Context(), key, client.RawPatch(types.MergePatchType, []byte(patch))); err == nil {
			w.Errorf("%s is not refused", patch)
		}
	}
}

func endedRows() []row {
	del := func(w *world, _ *v1alpha1.AgentAPIKey) { w.deleteAndWait(w.currentKey("bot")) }
	return []row{
		{
			what: "delete", do: del,
			cells: []cell{
				{deletion: v1alpha1.DeletionDelete, says: "deletes the app and the Secrets", want: outcome{Key: "gone", App: "gone", Secret: "gone"}},
				{
					deletion: v1alpha1.DeletionDeactivate, says: "deactivates the app and leaves it; deletes the Secrets",
					want: outcome{Key: "gone", App: "same, INACTIVE, an earlier key's", Live: 1, Secret: "gone"},
				},
				{
					says: "leaves app and Secret to people; the app has no permissions any more",
					want: outcome{Key: "gone", App: "same, ACTIVE, nobody's, says something else", Live: 1, Secret: "same, nobody's"},
				},
			},
		},
		{
			what: "delete, with `adopt`", do: del, adopt: true,
			cells: []cell{
				{deletion: v1alpha1.DeletionDelete, says: "deletes the adopted app too", want: outcome{Key: "gone", App: "gone", Secret: "gone"}},
				{
					deletion: v1alpha1.DeletionDeactivate, says: "deactivates the adopted app and leaves it",
					want: outcome{Key: "gone", App: "same, INACTIVE, an earlier key's", Live: 1, Secret: "gone"},
				},
				{
					says: "gives the app back, with the key's own credential in it and the Secret",
					want: outcome{Key: "gone", App: "same, ACTIVE, nobody's, says something else", Live: 1, Secret: "same, nobody's"},
				},
			},
		},
	}
}

// recreate deletes the key and creates it again under its name.
func recreate(w *world, key *v1alpha1.AgentAPIKey) {
	w.quiet() // the new one must be younger, by a second at least
	again := anew(w.currentKey("bot"), false)
	again.SetFinalizers(nil)
	w.deleteAndWait(key)
	w.create(again)
}

// restoring brings a backup of everything, or of all but the Secrets, back under new UIDs.
func restoring(what ...string) func(*world, *v1alpha1.AgentAPIKey) {
	return func(w *world, key *v1alpha1.AgentAPIKey) {
		w.quiet()
		w.stop(w.last)
		saved := backup{role: w.role("chat", "a"), secrets: w.allSecrets(), keys: []*v1alpha1.AgentAPIKey{key.DeepCopy()}}
		saved.keys[0].Finalizers = nil
		w.wipeOut()
		w.start(impatient)
		for _, each := range what {
			w.restore(saved, each, false)
		}
		w.quiet()
		w.pass(5 * time.Minute)
	}
}

func returnedRows() []row {
	conflict := outcome{Key: v1alpha1.ReasonDirectoryConflict, App: "same, ACTIVE, an earlier key's", Live: 1, Secret: "gone", Old: "a"}
	return []row{
		{
			what: "delete and create again", do: recreate,
			cells: []cell{
				{
					deletion: v1alpha1.DeletionDelete, says: "makes a new app and credential under the same client id",
					want: working(func(o *outcome) { o.App, o.Secret, o.Old = "another, ACTIVE, ours", "another credential", "" }),
				},
				{
					deletion: v1alpha1.DeletionDeactivate, says: "`DirectoryConflict`: delete the app that was left, or adopt it",
					want: outcome{Key: v1alpha1.ReasonDirectoryConflict, App: "same, INACTIVE, an earlier key's", Live: 1, Secret: "gone"},
				},
				{
					says: "`DirectoryConflict`: the app is somebody's now; delete it, or adopt it with another `secret.name`",
					want: outcome{
						Key: v1alpha1.ReasonDirectoryConflict, App: "same, ACTIVE, nobody's, says something else", Live: 1, Secret: "same, nobody's",
					},
				},
			},
		},
		{
			what: "restore from a backup", do: restoring("secrets", "roles", "keys"),
			cells: []cell{{says: "goes on with the same app and credential; no agent notices", want: working()}},
		},
		{
			what: "restore without the Secrets", do: restoring("roles", "keys"),
			cells: []cell{{
				says: "`DirectoryConflict`: nothing proves that it is the same key; restore the Secrets, or adopt the app", want: conflict,
			}},
		},
		{
			what: "restore without the Secrets, with `adopt`", do: restoring("roles", "keys"), adopt: true,
			cells: []cell{{
				says: "adopts the app again, with a new credential",
				want: working(func(o *outcome) { o.Key, o.Live, o.Secret = adopted, 2, "another credential" }),
			}},
		},
	}
}

// inOkta is what a person does to the app, seen at the next resync.
func inOkta(do func(w *world, app string) error) func(*world, *v1alpha1.AgentAPIKey) {
	return func(w *world, _ *v1alpha1.AgentAPIKey) {
		w.must(nil, do(w, w.currentKey("bot").Status.AppID))
		w.pass(12 * time.Hour)
		w.quiet()
		w.pass(2 * time.Minute)
	}
}

func peopleRows() []row {
	return []row{
		{
			what: "somebody edits the app",
			do: inOkta(func(w *world, app string) error {
				return w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Label = "Customer chatbot" })
			}),
			cells: []cell{
				{drift: v1alpha1.DriftEnforce, says: "puts it back", want: working()},
				{
					says: "`Drifted` names the field; the key works on",
					want: working(func(o *outcome) { o.Key, o.App = v1alpha1.ReasonDrifted, ourApp+", says something else" }),
				},
			},
		},
		{
			what: "somebody removes the credential",
			do: inOkta(func(w *world, app string) error {
				return w.org.AdminUpdateApp(app, func(a *oktasim.App) { a.Keys = nil })
			}),
			cells: []cell{
				{
					drift: v1alpha1.DriftEnforce, says: "makes a new one",
					want: working(func(o *outcome) { o.Secret, o.Old = "another credential", "" }),
				},
				{
					says: "`RevokedInDirectory`: makes a new one when a rotation is requested",
					want: outcome{Key: v1alpha1.ReasonRevokedInDirectory, App: ourApp, Secret: "same"},
				},
			},
		},
		{
			what: "somebody adds a credential",
			do: inOkta(func(w *world, app string) error {
				_, err := w.org.AdminAddKey(app, foreignKey(w))
				return err
			}),
			cells: []cell{{says: "tells it as `ForeignCredential`, and leaves it", want: working(func(o *outcome) { o.Key = adopted })}},
		},
		{
			what: "somebody deactivates the app",
			do:   inOkta(func(w *world, app string) error { return w.org.AdminDeactivateApp(app) }),
			cells: []cell{{
				says: "`DeactivatedInDirectory`: respects it, until somebody activates it in Okta",
				want: outcome{Key: v1alpha1.ReasonDeactivatedInDirectory, App: "same, INACTIVE, ours", Live: 1, Secret: "same"},
			}},
		},
		{
			what: "somebody deletes the app",
			do:   inOkta(func(w *world, app string) error { return w.org.AdminDeleteApp(app) }),
			cells: []cell{{
				says: "`DeletedInDirectory`: respects it; makes a new app and credential when a rotation is requested",
				want: outcome{Key: v1alpha1.ReasonDeletedInDirectory, App: "gone", Secret: "same"},
			}},
		},
	}
}
