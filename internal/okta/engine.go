package okta

import (
	"context"
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// classicPipeline is what an org without Identity Engine calls its way to sign people in.
const classicPipeline = "v1"

// engine remembers with which engine the org signs people in.
type engine struct {
	org   *org
	clock clock.PassiveClock

	mu       sync.Mutex
	pipeline string
	looked   time.Time
}

// AsksByApp implements identity.SignOns.
func (d *Directory) AsksByApp(ctx context.Context) (bool, error) {
	pipeline, err := d.engine.get(ctx)
	return pipeline != classicPipeline, err
}

func (e *engine) get(ctx context.Context) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pipeline != "" && e.clock.Since(e.looked) < verifiedFor {
		return e.pipeline, nil
	}
	var answer object
	if _, err := e.org.call(ctx, http.MethodGet, "/.well-known/okta-organization", nil, &answer); err != nil {
		return "", err
	}
	if text(answer, "pipeline") == "" {
		return "", incomplete()
	}
	e.pipeline, e.looked = text(answer, "pipeline"), e.clock.Now()
	return e.pipeline, nil
}

// classic refuses what an org with Identity Engine has in another form.
func (d *Directory) classic(ctx context.Context) error {
	byApp, err := d.AsksByApp(ctx)
	if err != nil || !byApp {
		return err
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonFeatureUnavailable,
		Message: "the Okta organization has Identity Engine: how people sign in is said for each app there",
	}
}
