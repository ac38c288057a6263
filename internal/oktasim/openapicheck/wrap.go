package openapicheck

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// Wrap serves like h and reports every problem of every exchange. report is called
// from the goroutine of the request, before the next one of the same client. The
// control API of the simulated org is passed through.
func (c *Checker) Wrap(h http.Handler, report func(problem string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/_sim/") {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			report(r.Method + " " + r.URL.Path + ": the request body broke off")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorder := &recorder{ResponseWriter: w, status: http.StatusOK}
		x := exchange{request: r.Clone(r.Context()), body: body}
		// A handler that cuts the connection panics. What was asked is checked all the
		// same; the answer is not, for nobody got it.
		defer func() {
			for _, problem := range c.check(x) {
				report(problem)
			}
		}()
		h.ServeHTTP(recorder, r)
		x.answered, x.status, x.header, x.answer = true, recorder.status, w.Header(), recorder.body.Bytes()
	})
}

// recorder copies an answer on its way.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
