// Package bench measures the operator on a real kube-apiserver and etcd against the
// simulated org with Okta's published rate limits. Its benchmarks are no tests: no figure
// makes one fail. Run them with `make bench`.
package bench
