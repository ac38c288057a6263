// Package audit brings what happens in the directory to those who must know of it:
// every event at least once, in the order in which the directory wrote it down.
//
//	identity.SystemLog → Reader → Follower (select → format → deliver → note the place)
//
// There is one Follower for each receiver, and each has a place of its own in the log,
// which goes on only when the receiver has acknowledged what came before. So a receiver
// that is slow or gone delays nobody else. Nothing is spilled: while it is gone, what
// it misses stays in the directory, which keeps its log for 90 days, and is read from
// there when it is back. What is held in memory is one page for each receiver.
//
// Followers that stand at the same place share one reading of it, and those that have
// come to the end of the log come to stand at the same place (Reader): so there is one
// stream of calls to the directory, however many receivers there are.
//
// It refuses to know the cluster, and which receivers there are.
package audit
