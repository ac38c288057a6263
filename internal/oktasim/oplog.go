package oktasim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// Operation is one request as the org saw it: the ground truth for tests that count
// calls or look for what was sent twice.
type Operation struct {
	Seq  int       `json:"seq"`
	Time time.Time `json:"time"`
	// Path is without the query, which may hold an assertion.
	Method   string `json:"method"`
	Path     string `json:"path"`
	Template string `json:"template,omitempty"`
	Bucket   string `json:"bucket,omitempty"`
	// Window is when the window began in which the bucket counted the request, or refused it;
	// zero where no bucket was asked.
	Window time.Time `json:"window,omitzero"`
	// Principal is "SSWS/<token id>" or a client id, as claimed when the request was
	// refused.
	Principal string `json:"principal,omitempty"`
	// Status is what the org decided, even when a fault then lost the answer. It is
	// 0 for a request that a fault dropped before it was carried out.
	Status    int    `json:"status"`
	ErrorCode string `json:"errorCode,omitempty"`
	// Write tells a management operation that is not a GET.
	Write        bool   `json:"write,omitempty"`
	Management   bool   `json:"management,omitempty"`
	TokenRequest bool   `json:"tokenRequest,omitempty"`
	SecretRead   bool   `json:"secretRead,omitempty"`
	BodyHash     string `json:"bodyHash,omitempty"`
	RequestID    string `json:"requestID"`
}

// record writes a decided request into the operation log.
func (o *Org) record(c *call, status int, errorCode string) {
	op := Operation{
		Seq: len(o.operations) + 1, Time: c.now, Method: c.request.Method, Path: c.request.URL.Path,
		Principal: c.principal, Status: status, ErrorCode: errorCode, RequestID: c.requestID,
		Window: c.window,
	}
	if len(c.body) > 0 {
		sum := sha256.Sum256(c.body)
		op.BodyHash = hex.EncodeToString(sum[:8])
	}
	if c.route != nil {
		op.Template, op.Bucket = c.route.template, string(c.route.bucket)
		op.Management = c.route.kind == management
		op.Write = op.Management && op.Method != http.MethodGet
		op.TokenRequest = c.route.template == "/oauth2/v1/token" || c.route.template == "/oauth2/{authServerId}/v1/token"
		op.SecretRead = c.route.secrets && status == http.StatusOK
	}
	o.operations = append(o.operations, op)
}

// Operations gives every request so far, in the order they were decided. Requests
// to the control API are not among them.
func (o *Org) Operations() []Operation { return o.OperationsSince(0) }

// OperationsSince gives the operations after the first seq, for those who look often.
func (o *Org) OperationsSince(seq int) []Operation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.operations[min(max(seq, 0), len(o.operations)):])
}

// OperationCount is how many operations there have been.
func (o *Org) OperationCount() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.operations)
}

// Unknown gives every request for a path, method, query parameter or body field
// that this API does not have, in words. Tests expect it to be empty.
func (o *Org) Unknown() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.unknown)
}
