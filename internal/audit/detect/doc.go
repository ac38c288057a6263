// Package detect decides which events of the audit log are findings: by rules that use what
// only the operator knows (Facts), and by people's own expressions.
//
// It only decides. It refuses to know the cluster, the directory, and how a response is given.
// What is not known never leads to a finding that acts.
package detect
