// Package throttle counts requests the way Okta's rate limits do: buckets of
// endpoints, fixed windows of a minute that do not start with the wall clock's
// minute, a share of each bucket for one principal, and a bound on the requests in
// flight. It refuses to know HTTP.
package throttle

import (
	"math/rand/v2"
	"time"
)

// Window is how long a bucket counts before it starts anew.
const Window = time.Minute

// Verdict is what a bucket says about one request. Limit, Remaining and Reset are
// the organization's, as in Okta's headers: the share of a principal is not told.
type Verdict struct {
	Allowed   bool
	Limit     int
	Remaining int
	Reset     time.Time
}

// Limiter counts. It is not safe for concurrent use: its owner has a lock.
type Limiter struct {
	profile Profile
	share   int
	phases  map[Bucket]time.Duration
	windows map[Bucket]*window
}

type window struct {
	start      time.Time
	used       int
	principals map[string]int
}

// NewLimiter gives one principal share percent of each bucket. random draws the
// phase of each bucket's windows.
func NewLimiter(profile Profile, share int, random *rand.Rand) *Limiter {
	l := &Limiter{profile: profile, share: share, phases: map[Bucket]time.Duration{}, windows: map[Bucket]*window{}}
	for _, bucket := range Buckets() {
		// Whole seconds, for the reset is told in whole seconds and must be exact.
		l.phases[bucket] = time.Duration(random.IntN(int(Window/time.Second))) * time.Second
	}
	return l
}

// SetProfile changes the limits; what is counted already stays counted.
func (l *Limiter) SetProfile(profile Profile) { l.profile = profile }

// Take counts a request of principal against bucket, unless it is refused. Requests
// without a principal have no share to keep to.
func (l *Limiter) Take(bucket Bucket, principal string, now time.Time) Verdict {
	limit := l.profile.Limit(bucket)
	w := l.current(bucket, now)
	verdict := Verdict{Limit: limit, Reset: w.start.Add(Window)}
	if w.used >= limit || principal != "" && w.principals[principal] >= limit*l.share/100 {
		// Remaining is 0 even when only the principal's share is used up: a client
		// that believed another number would knock again at once.
		return verdict
	}
	w.used++
	w.principals[principal]++
	verdict.Allowed = true
	verdict.Remaining = limit - w.used
	return verdict
}

func (l *Limiter) current(bucket Bucket, now time.Time) *window {
	phase := l.phases[bucket]
	start := now.Add(-phase).Truncate(Window).Add(phase)
	w := l.windows[bucket]
	if w == nil || !w.start.Equal(start) {
		w = &window{start: start, principals: map[string]int{}}
		l.windows[bucket] = w
	}
	return w
}

// Limit is how many requests a minute the bucket lets through.
func (l *Limiter) Limit(bucket Bucket) int { return l.profile.Limit(bucket) }

// SetShare changes the percentage of each bucket one principal may use.
func (l *Limiter) SetShare(share int) { l.share = share }
