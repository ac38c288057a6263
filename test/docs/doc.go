// Package docs does what the documentation tells people to do: each command that README.md or
// docs/ shows is run as it stands there, by a shell, against a real API server and an operator
// that is installed by these very commands and speaks to a simulated org. What cannot be run so
// is listed with the reason.
package docs
