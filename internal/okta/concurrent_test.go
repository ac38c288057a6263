package okta_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

// TestManyAtOnce builds roles and clients from many goroutines and two processes at
// once, and holds that there is one of each in the end.
func TestManyAtOnce(t *testing.T) {
	const roles, workers = 6, 3
	w := newWorld(t, oktasim.Options{})
	first := w.open()
	must(t, first.CreateServer(t.Context(), false, nil))
	w.clock.Step(time.Minute)
	directories := []identity.Directory{first, w.open()}
	var working sync.WaitGroup
	for i := range roles {
		r := registration(t, fmt.Sprintf("k%d", i))
		mark := roleMark()
		mark.Name, mark.UID = fmt.Sprintf("r%d", i), fmt.Sprintf("uid-%d", i)
		for worker := range workers {
			d := directories[worker%len(directories)]
			working.Go(func() {
				for range 10_000 { // more than the minute for which lists may lag
					err := buildOne(t, d, mark, r)
					if err == nil {
						return
					}
					typed, ok := errors.AsType[*identity.Error](err)
					if !ok || typed.Kind == identity.Conflict || typed.Kind == identity.Rejected {
						t.Errorf("%s: %v", mark.Name, err)
						return
					}
					w.clock.Step(10 * time.Millisecond)
					runtime.Gosched()
				}
				t.Errorf("%s does not come to an end", mark.Name)
			})
		}
	}
	working.Wait()
	counts := map[string]int{}
	for _, object := range objects(w.org.Snapshot()) {
		kind, _, _ := strings.Cut(object, " ")
		counts[kind]++
	}
	// Every org has a server, a group, a policy and a rule of its own.
	for kind, want := range map[string]int{"server": 2, "scope": 1, "group": roles + 1, "policy": roles + 1, "rule": roles + 1, "app": roles} {
		if counts[kind] != want {
			t.Errorf("there are %d objects of kind %s, want %d", counts[kind], kind, want)
		}
	}
}

func buildOne(t *testing.T, d identity.Directory, mark identity.Mark, r identity.Registration) error {
	t.Helper()
	ctx := t.Context()
	group := "k8s/test/a/" + mark.Name
	seen, err := d.ObserveRole(ctx, mark, group)
	if err != nil {
		return err
	}
	if err := d.PutPermission(ctx, identity.Permission{Name: "p"}); err != nil {
		return err
	}
	if seen.Group == nil {
		if err := d.PutGroup(ctx, identity.Group{Mark: mark, Name: group}); err != nil {
			return err
		}
	}
	client, err := d.ObserveClient(ctx, r.ClientID, identity.ClientHint{Label: r.Label})
	if err != nil {
		return err
	}
	if client == nil {
		if err := d.RegisterClient(ctx, r); err != nil {
			return err
		}
	}
	if seen.Grant != nil && slices.Equal(seen.Grant.Permissions, []string{"p"}) {
		return nil
	}
	grant := grantOf(r.ClientID)
	grant.Mark, grant.Name = mark, "k8s/test/a/"+mark.Name
	return d.PutGrant(ctx, grant)
}
