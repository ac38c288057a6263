package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"time"
)

const (
	// jitterShare is the part of the age that may be taken off: a tenth.
	jitterShare = 10
	// maxJitter keeps yearly credentials from being replaced weeks early.
	maxJitter = 24 * time.Hour
)

// Due is when a credential is old enough to be replaced: created + every − jitter.
// The jitter lies in [0, a tenth of every), below a day, and follows from seed
// alone, so that every look at the same credential gives the same time. Give a seed
// that differs between credentials. Windows are not looked at.
func Due(created time.Time, every time.Duration, seed string) time.Time {
	return created.Add(every - jitter(every, seed))
}

func jitter(every time.Duration, seed string) time.Duration {
	limit := min(every/jitterShare, maxJitter)
	if limit <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(seed))
	// The hash as a fraction of 2^64, times limit.
	share, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(limit))
	return time.Duration(share)
}
