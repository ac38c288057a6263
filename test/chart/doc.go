// Package chart tests the Helm charts: what they render, what they refuse, and that an operator
// that has no rights but those of its chart does its work.
package chart
