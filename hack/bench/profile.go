package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	configv1alpha1 "github.com/agentidentity/agent-identity-operator/api/config/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/operator"
)

// profiled is the first argument with which this program is the operator itself, and writes
// profiles of its processor time and its memory when it ends.
const profiled = "operate"

func operateProfiled(args []string) error {
	flags := flag.NewFlagSet(profiled, flag.ExitOnError)
	path := flags.String("config", "", "the operator's configuration")
	into := flags.String("into", ".", "where the profiles are written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := configv1alpha1.Load(*path)
	if err != nil {
		return err
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	cpu, err := os.Create(filepath.Join(*into, "cpu.pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	ended := operator.Run(ctrl.SetupSignalHandler(), operator.Options{
		Config: config, REST: rest, Logger: logr.Discard(), Clock: clock.RealClock{}, Version: "bench", Metrics: metrics.Registry,
	})
	pprof.StopCPUProfile()
	heap, err := os.Create(filepath.Join(*into, "heap.pprof"))
	if err != nil {
		return err
	}
	return errors.Join(ended, pprof.WriteHeapProfile(heap), closed(cpu, heap))
}

func closed(files ...io.Closer) error {
	var errs []error
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
