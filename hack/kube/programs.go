//go:build tools

// Package kube pins the Kubernetes programs the demo and the tests run:
// built from their published Go modules when they can be had in no quicker way.
package kube

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
