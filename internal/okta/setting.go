package okta

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// unsafeFor is how long the unsafe setting is believed before it is read again.
const unsafeFor = time.Minute

// setting is the org setting that makes new clients super admins. While it is on,
// an app the operator creates could do anything in the org.
type setting struct {
	org      *org
	clock    clock.PassiveClock
	lifetime time.Duration

	flight singleflight.Group
	mu     sync.Mutex
	read   time.Time
	known  bool
	unsafe bool
}

// check refuses to go on while the setting is on.
func (s *setting) check(ctx context.Context) error {
	unsafe, fresh := s.current()
	if !fresh {
		result := s.flight.DoChan("", func() (any, error) { return nil, s.load(context.WithoutCancel(ctx)) })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-result:
			if r.Err != nil {
				return r.Err
			}
		}
		unsafe, _ = s.current()
	}
	if !unsafe {
		return nil
	}
	return &identity.Error{
		Kind: identity.Rejected, Reason: identity.ReasonUnsafeOrganizationSetting, RetryAfter: unsafeFor,
		Message: "the Okta organization assigns the Super Admin role by default to new public client apps; nothing is created while it does. " +
			"Switch it off in Okta's Admin Console under Settings > Account > Public client app admins, " +
			"or with PUT /api/v1/org/settings/clientPrivilegesSetting",
	}
}

func (s *setting) current() (unsafe, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lifetime := s.lifetime
	if s.unsafe {
		lifetime = unsafeFor
	}
	return s.unsafe, s.known && s.clock.Since(s.read) < lifetime
}

func (s *setting) load(ctx context.Context) error {
	var answer struct {
		Unsafe *bool `json:"clientPrivilegesSetting"`
	}
	_, err := s.org.call(ctx, http.MethodGet, "/api/v1/org/settings/clientPrivilegesSetting", nil, &answer)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known, s.read, s.unsafe = true, s.clock.Now(), answer.Unsafe != nil && *answer.Unsafe
	return nil
}
