// Command argocd is what of Argo CD reconciles: its application controller and its repository
// server, as they are published, and a Redis for both. Which one is meant is the first argument.
package main

import (
	"fmt"
	"os"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	command := &cobra.Command{Use: "argocd"}
	command.AddCommand(controller.NewCommand(), reposerver.NewCommand(), redis())
	if err := command.Execute(); err != nil {
		os.Exit(1)
	}
}

// redis keeps in memory what the two others tell each other.
func redis() *cobra.Command {
	var address string
	command := &cobra.Command{Use: "redis", RunE: func(*cobra.Command, []string) error {
		server := miniredis.NewMiniRedis()
		if err := server.StartAddr(address); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		select {}
	}}
	command.Flags().StringVar(&address, "address", "127.0.0.1:6379", "where to listen")
	return command
}
