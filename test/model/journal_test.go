package model

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// journal keeps all the operator says: log lines at the highest verbosity, events,
// and every version of every object but the data of Secrets.
type journal struct {
	text bytes.Buffer
	// events are those told so far.
	events []string
	log    *logr.Logger
}

func (j *journal) logger() logr.Logger {
	if j.log == nil {
		logger := funcr.New(func(prefix, args string) {
			j.text.WriteString(prefix)
			j.text.WriteString(args)
			j.text.WriteByte('\n')
		}, funcr.Options{Verbosity: 127})
		j.log = &logger
	}
	return *j.log
}

// Eventf implements events.EventRecorder.
func (j *journal) Eventf(regarding, _ runtime.Object, kind, reason, action, note string, args ...any) {
	name := ""
	if obj, is := regarding.(interface {
		GetNamespace() string
		GetName() string
	}); is {
		name = obj.GetNamespace() + "/" + obj.GetName()
	}
	line := fmt.Sprintf("%s %s %s %s: %s", kind, reason, action, name, fmt.Sprintf(note, args...))
	j.events = append(j.events, line)
	j.text.WriteString(line + "\n")
}

// object keeps a version of an object.
func (j *journal) object(c change) {
	if c.new == nil {
		return
	}
	shown := c.new
	if secret, is := shown.(*corev1.Secret); is {
		bare := secret.DeepCopy()
		bare.Data = nil
		shown = bare
	}
	encoded, err := json.Marshal(shown)
	if err != nil {
		panic(err)
	}
	j.text.Write(encoded)
	j.text.WriteByte('\n')
}
