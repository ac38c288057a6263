// Package model is a model-based test: random sequences of what people, faults and
// time do to roles, keys, Secrets and the org, and after each of them, once the
// operator has come to rest, the promises of the design (promises_test.go).
//
// The operator's own controllers and its own way to Okta run against a simulated org
// and an API server in memory, in virtual time and in one goroutine, so that a
// sequence is the same whenever it is played. What a person did is remembered by the
// model (memory_test.go), which says what may keep a key from being Ready; all else
// is read from the org and the cluster.
//
//	make model                                     2,000 sequences of 40 steps, the same ones always
//	make model TESTFLAGS=-model.seed=0             2,000 that nobody has played yet
//	go test ./test/model -rapid.checks=50          fewer; with the race detector it is 200
//	go test ./test/model -run TestModel/worker0 -rapid.seed=N      one that failed, by its seed
//	go test ./test/model -run TestSequences -model.sequence FILE   one as it was printed
//
// A failure prints the sequence in words, made as short as can be, with all calls since
// its last step. A file in testdata is such a sequence, played in every run.
//
// Five scenarios (schedules_test.go) are told again and again: each change in the cluster
// told late, never or twice (TestWatches), and a second death while the first is recovered
// from (TestDeathInRecovery).
//
// To add an action, write a function and a line in one of the lists of actions; to add
// a promise, a function and a line in promises.
package model
