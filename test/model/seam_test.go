package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim"
	"github.com/agentidentity/agent-identity-operator/internal/oktasim/fault"
)

var (
	errDead = errors.New("the process is dead")
	errLost = errors.New("the connection broke")
)

// seam stands around every call one process makes to Okta and to Kubernetes. It
// kills the process at one of them: from then on no call gets out, as after kill -9.
type seam struct {
	// countdown is the number of calls until death, 0 for none; after tells that
	// the last one is carried out and its answer lost.
	countdown int
	after     bool
	dead      bool
	// died names the call of which the process died.
	died string
	// spared tells that no death may strike now.
	spared func() bool
	// calls are all since the process began.
	calls []string
}

func (s *seam) around(name string, call func() error) error {
	if s.dead {
		return errDead
	}
	s.calls = append(s.calls, name)
	if s.countdown == 0 || s.spared() {
		return call()
	}
	s.countdown--
	if s.countdown > 0 {
		return call()
	}
	s.dead, s.died = true, name
	if s.after {
		_ = call()
		return errDead
	}
	return errDead
}

// reading is what an answer said of a rate limit.
type reading struct {
	limit int
	reset int64
}

// wire carries the calls of one process to the org, without a network.
type wire struct {
	org  *oktasim.Org
	seam *seam
	// faults strike calls of the operator only: a person's, and those of the test,
	// go through.
	faults *fault.Script
	// readings are those of all answers, by request id.
	readings map[string]reading
	// struck hears of every fault that strikes: the world is not at rest while one is
	// left that may.
	struck func()
	// calm tells that no fault may strike now.
	calm func() bool
	// wrote hears of every request that may have changed something.
	wrote func(method, path string)
}

func (w *wire) RoundTrip(req *http.Request) (response *http.Response, err error) {
	err = w.seam.around("Okta "+req.Method+" "+req.URL.Path, func() error {
		if !w.calm() {
			for phase, action := range w.faults.Match(req.Method, req.URL.Path) {
				w.org.Inject(oktasim.Fault{Nth: 1, Phase: phase, Action: action})
				w.struck()
			}
		}
		response, err = serve(w.org, req)
		w.org.ClearFaults()
		// A token that is asked for and thrown away changes nothing, nor does what is refused.
		refused := err == nil && response.StatusCode == http.StatusBadRequest
		if req.Method != http.MethodGet && !strings.HasSuffix(req.URL.Path, "/v1/token") && !refused {
			w.wrote(req.Method, req.URL.Path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	limit, _ := strconv.Atoi(response.Header.Get("X-Rate-Limit-Limit"))
	reset, _ := strconv.ParseInt(response.Header.Get("X-Rate-Limit-Reset"), 10, 64)
	w.readings[response.Header.Get("X-Okta-Request-Id")] = reading{limit, reset}
	return response, nil
}

// serve calls the org the way a connection would. An answer that it breaks off is
// cut short, or lost.
func serve(org http.Handler, req *http.Request) (response *http.Response, err error) {
	recorder := httptest.NewRecorder()
	defer func() {
		broken := recover()
		switch {
		case broken == nil:
		case broken != any(http.ErrAbortHandler):
			panic(broken)
		case recorder.Body.Len() == 0:
			response, err = nil, errLost
		default:
			response, err = recorder.Result(), nil
			response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(recorder.Body.Bytes()), broke{}))
		}
	}()
	inbound := req.Clone(req.Context())
	inbound.RequestURI = req.URL.RequestURI()
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	defer func() { _ = inbound.Body.Close() }()
	org.ServeHTTP(recorder, inbound)
	return recorder.Result(), nil
}

// broke is the end of an answer that was cut short.
type broke struct{}

func (broke) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// lastCalls are the latest of the process, for a report.
func (s *seam) lastCalls(n int) string {
	text := ""
	for _, call := range s.calls[max(0, len(s.calls)-n):] {
		text += fmt.Sprintf("\n\t\t%s", call)
	}
	return text
}
