package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
)

// newWitness makes the exporter "witness", which writes down what it gets before it is
// acknowledged: each request as a line of OTLP in JSON.
func newWitness() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("witness"), func() component.Config { return &witnessConfig{} },
		exporter.WithLogs(openWitness, component.StabilityLevelDevelopment))
}

type witnessConfig struct {
	// Path of the file. What is in it stays, but for a line that is not whole: whoever sent it
	// was never told that it was taken.
	Path string `mapstructure:"path"`
	// DiesAfter so many requests, if not zero, the process is killed: the last is written
	// down, and whoever sent it is not told.
	DiesAfter int `mapstructure:"dies_after"`
}

// witness has no buffer: what was written outlives the process.
type witness struct {
	component.StartFunc
	consumer.Logs

	mu     sync.Mutex
	file   *os.File
	config *witnessConfig
	taken  int
}

func openWitness(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Logs, error) {
	w := &witness{config: config.(*witnessConfig)}
	file, err := os.OpenFile(w.config.Path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	there, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	if err := file.Truncate(int64(bytes.LastIndexByte(there, '\n') + 1)); err != nil {
		return nil, err
	}
	w.file = file
	w.Logs, err = consumer.NewLogs(w.write)
	return w, err
}

func (w *witness) write(_ context.Context, logs plog.Logs) error {
	line, err := new(plog.JSONMarshaler).MarshalLogs(logs)
	if err != nil {
		return fmt.Errorf("writing logs as JSON: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if w.taken++; w.taken == w.config.DiesAfter {
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return nil
}

// Shutdown implements component.Component.
func (w *witness) Shutdown(context.Context) error { return w.file.Close() }
