package main

import (
	"bytes"
	"context"
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// foreignSecrets is how many Secrets of others there are, and foreignSize how large each is, in bytes.
	foreignSecrets, foreignSize = 2000, 100_000
	// starts is how often the operator is started for one figure of its memory, of which the least counts.
	starts = 3
	// frugal makes it collect its garbage all the time, so that little but what it holds is counted.
	frugal = "32MiB"
)

// secrets compares the operator's memory without and with many large Secrets in the cluster that are
// none of its business.
func secrets(ctx context.Context, s *stage, t *table) error {
	defer func(usual string) { s.memory = usual }(s.memory)
	s.memory = frugal
	before, err := s.atRest(ctx)
	if err != nil {
		return err
	}
	if err := s.create(ctx, foreignSecrets, secretOfOthers); err != nil {
		return err
	}
	with, err := s.atRest(ctx)
	if err != nil {
		return err
	}
	t.tell("memory at rest", before, "MiB")
	t.add("P15", fmt.Sprintf("memory at rest with %d Secrets of others, less that", foreignSecrets), with-before, 2, "MiB")
	return s.kube.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(beside))
}

func secretOfOthers(i int) client.Object {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: beside, Name: fmt.Sprintf("large-%04d", i)},
		Data:       map[string][]byte{"blob": bytes.Repeat([]byte{byte(i)}, foreignSize)},
	}
}

// atRest is the operator's memory in MiB after a start, when it has nothing left to do.
func (s *stage) atRest(ctx context.Context) (float64, error) {
	least := math.Inf(1)
	for range starts {
		if err := s.anew(alone); err != nil {
			return 0, err
		}
		p, err := s.settled(ctx)
		if err != nil {
			return 0, err
		}
		_, now, err := p.memory()
		if err != nil {
			return 0, err
		}
		say("  memory at rest: %.1f MiB", now)
		least = min(least, now)
	}
	s.end()
	return least, nil
}
