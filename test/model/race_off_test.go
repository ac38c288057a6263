//go:build !race

package model

// sequences is how many are played.
const sequences = 2000
