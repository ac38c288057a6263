// Command manager runs the agent-identity-operator.
package main

import (
	"flag"
	"os"
	_ "time/tzdata" // the image has no zoneinfo, and rotation windows name time zones

	"go.uber.org/zap/zapcore"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// version is set by the linker.
var version = "dev"

func main() {
	path := flag.String("config", "/etc/agent-identity-operator/config.yaml", "the configuration file")
	// An error is told with what it was about; a stack trace of our own queue helps nobody.
	logging := zap.Options{StacktraceLevel: zapcore.DPanicLevel}
	logging.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))
	ctrl.Log.Info("starting agent-identity-operator", "version", version)
	if err := run(*path); err != nil {
		ctrl.Log.Error(err, "the operator cannot go on")
		os.Exit(1)
	}
}

func run(path string) error {
	config, err := configv1alpha1.Load(path)
	if err != nil {
		return err
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	return operator.Run(ctrl.SetupSignalHandler(), operator.Options{
		Config: config, REST: rest, Logger: ctrl.Log, Clock: clock.RealClock{}, Version: version, Metrics: metrics.Registry,
	})
}
