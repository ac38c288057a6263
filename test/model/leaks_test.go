package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/agentidentity/agent-identity-operator/test/canary"
)

// material remembers everything secret that was ever in a Secret of the operator's.
func (w *world) material(c change) {
	secret, is := c.new.(*corev1.Secret)
	if !is || w.process == nil || !w.process.reconciling {
		return
	}
	name := c.ref.String()
	if text := secret.Data["client_secret"]; len(text) > 0 {
		w.secrets[string(text)] = name + " client_secret"
	}
	for i, line := range strings.Split(string(secret.Data["private_key.pem"]), "\n") {
		if len(line) > 20 && !strings.HasPrefix(line, "--") && i > 1 {
			// The first line of every key is nearly the same.
			w.secrets[line] = fmt.Sprintf("%s private_key.pem line %d", name, i)
		}
	}
	var jwk struct{ D string }
	if json.Unmarshal(secret.Data["jwk"], &jwk) == nil && jwk.D != "" {
		w.secrets[jwk.D] = name + " jwk.d"
	}
}

// leaks looks for every spelling of everything secret in all the operator has said.
func (w *world) leaks() string {
	text := w.journal.text.Bytes()
	for material, name := range w.secrets {
		for how, spelled := range canary.Spell(material) {
			if bytes.Contains(text, []byte(spelled)) {
				return fmt.Sprintf("%s (%s) stands in logs, events or objects", name, how)
			}
		}
	}
	return ""
}
