// Package e2e has the operator, installed by its chart, look after agents that run as pods of a
// real cluster: the one that KUBECONFIG names. Its org is simulated in the test's own process; the
// cluster's pods reach it at an address of this machine. `make e2e` sees to all of it.
package e2e
