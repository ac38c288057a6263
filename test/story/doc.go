// Package story tells what users do and see, on a real kube-apiserver and etcd
// and a simulated Okta org: every story starts the whole operator, with the RBAC
// it is shipped with, against a namespace and an org of its own.
package story
