//go:build !race

package model

// sequences is how many are played, and scheduleStride and pairStride which part of the
// schedules of TestWatches and of the pairs of TestDeathInRecovery.
const (
	sequences      = 2000
	scheduleStride = 1
	pairStride     = 30
)
