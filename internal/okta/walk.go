package okta

import (
	"context"
	"net/http"
	"time"

	"k8s.io/utils/clock"

	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta/fault"
)

const (
	// maxPages bounds a walk; with 200 a page it is more than an org holds.
	maxPages = 2000
	// resumable is how long a walk interrupted by the rate limit may be taken up.
	resumable = 10 * time.Minute
)

// walk reads a list page by page. A walk that was throttled goes on where it was;
// one that meets anything else is thrown away whole, for a list with a hole in it
// reads like objects that were deleted. It is not for use by two at once.
type walk[T any] struct {
	org   *org
	clock clock.PassiveClock
	id    func(T) string

	begun time.Time
	first string
	next  string
	seen  map[string]bool
	ids   map[string]bool
	items []T
}

// objects is a walk over what is read as it comes.
func objects(org *org, clock clock.PassiveClock) *walk[object] {
	return &walk[object]{org: org, clock: clock, id: func(o object) string { return text(o, "id") }}
}

// all gives every item and when the walk was begun.
func (w *walk[T]) all(ctx context.Context, first string) ([]T, time.Time, error) {
	if w.next == "" || w.first != first || w.clock.Since(w.begun) > resumable {
		w.restart(first)
	}
	for w.next != "" {
		err := w.page(ctx)
		if err == nil {
			continue
		}
		if identity.KindOf(err) != identity.Throttled {
			w.restart("")
		}
		return nil, time.Time{}, err
	}
	items, begun := w.items, w.begun
	w.restart("")
	return items, begun, nil
}

func (w *walk[T]) restart(first string) {
	w.begun, w.first, w.next = w.clock.Now(), first, first
	w.seen, w.ids, w.items = map[string]bool{}, map[string]bool{}, nil
}

func (w *walk[T]) page(ctx context.Context) error {
	var items []T
	header, err := w.org.call(ctx, http.MethodGet, w.next, nil, &items)
	if err != nil {
		return err
	}
	w.seen[w.next] = true
	for _, item := range items {
		id := w.id(item)
		if id == "" || w.ids[id] {
			return fault.Broken("a list names an object twice or without id", nil)
		}
		w.ids[id] = true
	}
	w.items = append(w.items, items...)
	next, more := nextLink(nextOf(header))
	if !more {
		w.next = ""
		return nil
	}
	if w.seen[next] || len(w.seen) >= maxPages {
		return fault.Broken("the pages of a list do not end", nil)
	}
	w.next = next
	return nil
}
