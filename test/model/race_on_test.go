//go:build race

package model

// sequences is how many are played, and scheduleStride and pairStride which part of the
// schedules of TestWatches and of the pairs of TestDeathInRecovery; the race detector makes
// each ten times as dear.
const (
	sequences      = 200
	scheduleStride = 13
	pairStride     = 401
)
