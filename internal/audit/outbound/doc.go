// Package outbound is the way audit events leave the operator: whom it dials, and how it
// speaks HTTP with those. Endpoints are written by teams, but dialled from the operator's
// place in the network, so it looks at the address a name has been resolved to, at the
// moment it is dialled. It refuses to know what is sent and what answers mean.
package outbound
