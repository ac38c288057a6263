package transport

import (
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// ServerTime is the time at Okta, learned from the Date of every answer. What Okta
// judges by its own clock (assertions, ends of windows) must be told by it.
type ServerTime struct {
	clock  clock.PassiveClock
	offset atomic.Int64
}

// NewServerTime believes the clock until the first answer.
func NewServerTime(c clock.PassiveClock) *ServerTime { return &ServerTime{clock: c} }

// Now is the time at Okta, up to about a second late and never early.
func (s *ServerTime) Now() time.Time { return s.clock.Now().Add(s.Offset()) }

// Offset is how far Okta's clock is ahead of ours.
func (s *ServerTime) Offset() time.Duration { return time.Duration(s.offset.Load()) }

// Observe learns from an answer. An unreadable date teaches nothing.
func (s *ServerTime) Observe(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || date.Year() < 2000 {
		return
	}
	s.offset.Store(int64(date.Sub(s.clock.Now())))
}
