package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
)

const (
	peerKeys  = 500
	peerRoles = 5
)

// comparison is a phase of both sides.
type comparison struct {
	Phase string `json:"phase"`
	Peer  effort `json:"peer"`
	Ours  effort `json:"ours"`
}

// sideBySide has the operator and a Terraform-compatible peer make the same keys and roles, look at
// them, and change one; each in an org of its own with the same limits.
func sideBySide(ctx context.Context, s *stage, t *table) error {
	p, err := peerFrom(os.Getenv, filepath.Join(s.dir, "peer"))
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("no peer: set %s to a program such as tofu, and %s to the provider okta/okta for it", peerBinary, peerProvider)
	}
	ours := map[string]effort{}
	created, err := s.converge(ctx)
	if err != nil {
		return err
	}
	ours[phaseCreate] = effortOf(created.operations, time.Duration(created.took*float64(time.Second)))
	look, took, err := s.sweep(ctx)
	if err != nil {
		return err
	}
	ours[phaseRefresh] = effortOf(look.operations, took)
	if ours[phaseChange], err = s.change(ctx); err != nil {
		return err
	}
	org := oktasim.New(oktasim.Options{Limits: oktasim.LimitsWorkforce.Scaled(s.factor)})
	server := httptest.NewServer(org)
	defer server.Close()
	org.SetBaseURL(server.URL)
	say("  the peer's turn …")
	theirs, err := measurePeer(ctx, p, org, server.URL, s.keys, s.roles)
	if err != nil {
		return fmt.Errorf("the peer: %w", err)
	}
	for _, phase := range phases() {
		t.Peer = append(t.Peer, comparison{phase, theirs[phase], ours[phase]})
	}
	return nil
}

// change gives one key another purpose, which stands in its app's note.
func (s *stage) change(ctx context.Context) (effort, error) {
	if err := s.anew(alone); err != nil {
		return effort{}, err
	}
	p, err := s.settled(ctx)
	if err != nil {
		return effort{}, err
	}
	defer s.end()
	const purpose = "as it was changed"
	first, began := s.org.OperationCount(), time.Now()
	patch := fmt.Appendf(nil, `{"spec":{"agent":{"purpose":%q}}}`, purpose)
	if err := s.kube.Patch(ctx, s.keyNamed(0), client.RawPatch(types.MergePatchType, patch)); err != nil {
		return effort{}, err
	}
	written := func() (bool, error) { return s.since(first).writes > 0, nil }
	if err := until(ctx, time.Minute, 5*time.Millisecond, written); err != nil {
		return effort{}, err
	}
	took := time.Since(began)
	if _, err := p.quiet(ctx, 2*time.Second, time.Minute); err != nil {
		return effort{}, err
	}
	return effortOf(s.since(first).operations, took), nil
}

// sides is the table of both sides for people.
func (t *table) sides() string {
	text := fmt.Sprintf("\n%s\n\n| phase | calls of the peer | ours | writes of the peer | ours | refused by the rate limit, peer | ours | "+
		"time of the peer | ours |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n", t.Stage)
	for _, c := range t.Peer {
		p, o := c.Peer, c.Ours
		text += fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %s s | %s s |\n",
			c.Phase, p.Calls, o.Calls, p.Writes, o.Writes, p.Refused, o.Refused, number(p.Seconds), number(o.Seconds))
	}
	return text
}
