// Package gitops has Argo CD itself bring manifests to an API server: its application controller and
// its repository server, built by `hack/tool argocd` from the published modules, beside the operator
// as the program that it is. It holds what docs/gitops.md promises.
package gitops
