// Package plan decides. Given what is wanted, what was seen and the time, it says
// which steps to take and why, and what is left to wait for. Its functions are
// pure; the order of the checks in them is the specification, and a test pins it.
package plan
