//go:build race

package story

// everyPoint is which of the points of a plot are struck: with the race detector each
// is several times as dear. `make crash` strikes all.
const everyPoint = 7
