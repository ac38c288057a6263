// Package crd holds the CustomResourceDefinitions of the four kinds, as they are applied.
package crd

import "embed"

// Files are the CRDs, one file each, in the directory bases.
//
//go:embed bases/*.yaml
var Files embed.FS
