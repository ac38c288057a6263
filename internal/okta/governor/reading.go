package governor

import (
	"net/http"
	"strconv"
	"time"
)

// maxLimit is far above any limit of Okta's; a larger number is garbage.
const maxLimit = 1 << 31

// Reading is what an answer says about the rate limit. Absent or unreadable values
// are marked so, not guessed.
type Reading struct {
	// Answered is false when the call ended without an answer.
	Answered bool
	// TooMany is an answer 429.
	TooMany bool
	// Limit and Remaining are -1 when absent or unreadable.
	Limit, Remaining int
	// Reset is zero when absent or unreadable.
	Reset time.Time
}

// Concurrent tells the 429 of too many calls at once: its headers describe the
// calls in flight, not the window, and say so with a limit of zero.
func (r Reading) Concurrent() bool { return r.TooMany && r.Limit == 0 }

// Read reads the rate headers of an answer.
func Read(status int, header http.Header) Reading {
	reading := Reading{
		Answered: true, TooMany: status == http.StatusTooManyRequests,
		Limit: number(header.Get("X-Rate-Limit-Limit")), Remaining: number(header.Get("X-Rate-Limit-Remaining")),
	}
	const year2000, year3000 = 946_684_800, 32_503_680_000
	seconds, err := strconv.ParseInt(header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err == nil && seconds > year2000 && seconds < year3000 {
		reading.Reset = time.Unix(seconds, 0)
	}
	return reading
}

// Silent is the reading of a call that ended without an answer.
func Silent() Reading { return Reading{Limit: -1, Remaining: -1} }

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxLimit {
		return -1
	}
	return n
}
