//go:build !race

package story

// everyPoint is which of the points of a plot are struck: each.
const everyPoint = 1
