// Package desired translates Kubernetes objects into the state wanted in the
// directory. Its functions are pure: the same objects give the same wish.
package desired
