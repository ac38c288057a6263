// Command flux tells of objects what Flux would: it reads them as JSON, one after another, and
// answers each with its status, by the healthCheckExprs of the Kustomization that is named and
// Flux's own evaluator.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "flux:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errors.New("name the file of a Kustomization")
	}
	evaluators, err := read(args[0])
	if err != nil {
		return fmt.Errorf("reading %s: %w", args[0], err)
	}
	for objects := json.NewDecoder(in); ; {
		var text json.RawMessage
		if err := objects.Decode(&text); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading an object: %w", err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil { // integers stay integers
			return fmt.Errorf("reading an object: %w", err)
		}
		answer := "NotCovered"
		if evaluator := evaluators[object.GetAPIVersion()+" "+object.GetKind()]; evaluator != nil {
			if result, err := evaluator.Evaluate(context.Background(), object); err != nil {
				answer = "Error: " + err.Error()
			} else {
				answer = result.Status.String()
			}
		}
		if _, err := fmt.Fprintf(out, "%q\n", answer); err != nil {
			return err
		}
	}
}

// read gives what is to be asked about each kind.
func read(file string) (map[string]*cel.StatusEvaluator, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, err
	}
	evaluators := map[string]*cel.StatusEvaluator{}
	for _, check := range kustomization.Spec.HealthCheckExprs {
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, err
		}
		evaluators[check.APIVersion+" "+check.Kind] = evaluator
	}
	return evaluators, nil
}
