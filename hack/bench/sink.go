package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

const readLog = "GET /api/v1/logs"

// hearing is the part of a configuration that has the log read so often.
func hearing(poll time.Duration) string {
	return fmt.Sprintf("audit: {pollInterval: %s, allowedNetworks: [127.0.0.0/8]}\n", poll)
}

// receive makes a receiver and an AuditSink for it, without which nobody reads the log. Both are
// there until they are ended.
func (s *stage) receive(ctx context.Context) (end func() error, err error) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	meta := metav1.ObjectMeta{Namespace: home, Name: "bench"}
	objects := []client.Object{
		&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"ca.crt": string(ca)}},
		&v1alpha1.AuditSink{ObjectMeta: meta, Spec: v1alpha1.AuditSinkSpec{Output: v1alpha1.AuditOutput{
			Type: v1alpha1.OutputHTTP, HTTP: &v1alpha1.HTTPOutput{Endpoint: v1alpha1.Endpoint(server.URL)},
			TLS: &v1alpha1.OutputTLS{CA: &v1alpha1.CABundleReference{Kind: "ConfigMap", Name: v1alpha1.ObjectName(meta.Name)}},
		}}},
	}
	for _, obj := range objects {
		if err := s.kube.Create(ctx, obj); err != nil {
			server.Close()
			return nil, err
		}
	}
	return func() error {
		defer server.Close()
		var failed []error
		for _, obj := range objects {
			failed = append(failed, s.kube.Delete(ctx, obj))
		}
		// The operator lets go of the sink.
		failed = append(failed, until(ctx, time.Minute, 100*time.Millisecond, func() (bool, error) {
			err := s.kube.Get(ctx, client.ObjectKeyFromObject(objects[1]), &v1alpha1.AuditSink{})
			return err != nil, client.IgnoreNotFound(err)
		}))
		return errors.Join(failed...)
	}, nil
}
