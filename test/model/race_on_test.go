//go:build race

package model

// sequences is how many are played; the race detector makes each ten times as dear.
const sequences = 200
