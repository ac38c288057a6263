// Package lifecycle is the loop all kinds share: claim the object with a
// finalizer, ensure what it wants or release what it made, and settle the outcome
// into conditions, events and the time of the next look. What a kind does in
// between is its own affair (package controller/...).
package lifecycle
