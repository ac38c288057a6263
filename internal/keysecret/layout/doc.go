// Package layout lays out the data of the published Secret: which keys it has, and
// what each of them says. It is pure: the same shape and fields give the same bytes,
// for a Secret that differed at every look would be written at every look. It knows
// nothing of Kubernetes, nor where the fields come from.
//
// Templates are written by people who may not see the operator's memory, files or
// environment, nor keep it busy: their functions are an explicit list (functions.go),
// and text, work and output are bounded (meter.go). No error tells a value, be it a
// secret or not: errors end in conditions and logs.
package layout
