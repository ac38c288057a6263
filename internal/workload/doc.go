// Package workload knows who uses a Secret: which running pods still have it as it
// was, and which workloads must be restarted to read it anew. It asks the API server
// when it is asked and watches nothing, so that the operator holds no cluster's pods
// in memory. It knows no credential and no reason why a Secret changes.
package workload
