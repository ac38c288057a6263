// Package eventlog is the System Log of the simulated org: it keeps what happened in the
// order in which it was persisted, which is not the order in which it was published, and
// gives it out in pages the way Okta does. It refuses to know what happens: it imports
// nothing of the org and no HTTP.
//
// An event takes 40 bytes, besides what it says, which is about a kilobyte and is shared
// by the events of a Batch: a million of those are 40 MB, and 4 MB more once somebody asks
// for them by publication. What is rendered is rendered for each answer anew.
package eventlog
