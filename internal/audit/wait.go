package audit

import (
	"context"
	"errors"
	"time"

	"github.com/agentidentity/agent-identity-operator/internal/audit/output"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// rest waits until there may be another page. What the operator does meanwhile is sent at once.
func (f *Follower) rest(ctx context.Context, until time.Time) error {
	for ctx.Err() == nil {
		news := f.Journal.changed()
		if err := f.bringOwn(ctx); err != nil {
			return err
		}
		left := until.Sub(f.Clock.Now())
		if left <= 0 {
			break
		}
		f.sleep(ctx, left, news)
	}
	return nil
}

// sleep waits, until the context ends or there is news.
func (f *Follower) sleep(ctx context.Context, d time.Duration, news <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := f.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	case <-news:
	}
}

// backoff says how long to wait after an error.
type backoff struct{ last time.Duration }

// slowest is the longest wait that nobody asked for.
const slowest = time.Minute

func (b *backoff) after(err error) time.Duration {
	b.last = min(max(2*b.last, time.Second), slowest)
	asked := b.last
	if e, ok := errors.AsType[*output.Error](err); ok {
		asked = max(asked, e.RetryAfter)
	}
	if e, ok := errors.AsType[*identity.Error](err); ok {
		asked = max(asked, e.RetryAfter)
	}
	return min(asked, time.Hour)
}
