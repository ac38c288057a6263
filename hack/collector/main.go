// Command collector is an OpenTelemetry collector for tests: the receiver, the service and
// the configuration are the published ones. Only its exporter is our own, as a witness: what
// has been acknowledged is in the file, whatever happens to the process afterwards. The
// usual one of that kind (fileexporter) acknowledges first and writes within a second.
package main

import (
	"fmt"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func main() {
	command := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Description: "OpenTelemetry collector for tests"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()}, DefaultScheme: "file",
		}},
	})
	if err := command.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func factories() (otelcol.Factories, error) {
	token, limiter := bearertokenauthextension.NewFactory(), memorylimiterprocessor.NewFactory()
	otlp, witness := otlpreceiver.NewFactory(), newWitness()
	return otelcol.Factories{
		Extensions: map[component.Type]extension.Factory{token.Type(): token},
		Processors: map[component.Type]processor.Factory{limiter.Type(): limiter},
		Receivers:  map[component.Type]receiver.Factory{otlp.Type(): otlp},
		Exporters:  map[component.Type]exporter.Factory{witness.Type(): witness},
		Telemetry:  otelconftelemetry.NewFactory(),
	}, nil
}
