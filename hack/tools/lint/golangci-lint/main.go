// Command golangci-lint is golangci-lint with kube-api-linter compiled in.
// Its own `custom` command clones a repository to do this; from published
// Go modules it takes this file.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter" // registers the linter "kubeapilinter"
)

// module is the one whose version this program reports as its own.
const module = "github.com/golangci/golangci-lint/v2"

func main() {
	if err := commands.Execute(describe()); err != nil {
		fmt.Fprintf(os.Stderr, "golangci-lint: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}

// describe tells the version of golangci-lint that was linked in. The
// configuration's schema is chosen by it, so it must not read "(devel)".
func describe() commands.BuildInfo {
	info := commands.BuildInfo{Version: "unknown", Commit: "built by hack/tools", Date: "unknown"}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	info.GoVersion = build.GoVersion
	for _, dep := range build.Deps {
		if dep.Path == module && len(dep.Version) > 1 {
			info.Version = dep.Version[1:]
		}
	}
	return info
}
