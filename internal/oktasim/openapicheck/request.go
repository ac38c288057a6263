package openapicheck

import (
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// problem is one thing wrong with an exchange.
type problem struct {
	// part is "query", "request" or "answer".
	part string
	path string
	text string
}

func (p problem) String() string {
	where := p.part
	if p.path != "" {
		where += " " + p.path
	}
	return where + ": " + p.text
}

func (op *operation) checkRequest(x exchange) []problem {
	problems := op.checkQuery(x.request.URL.Query())
	if len(x.body) == 0 {
		if body := op.what.RequestBody; body != nil && body.Value.Required {
			problems = append(problems, problem{"request", "", "the body is missing"})
		}
		return problems
	}
	if op.what.RequestBody == nil {
		return append(problems, problem{"request", "", "the operation has no body"})
	}
	kind, _, _ := mime.ParseMediaType(x.request.Header.Get("Content-Type"))
	content := op.what.RequestBody.Value.Content.Get(kind)
	if content == nil {
		right := strings.Join(kinds(op.what.RequestBody.Value.Content), " or ")
		return append(problems, problem{"request", "", "the content type is not " + right})
	}
	if kind == "application/x-www-form-urlencoded" {
		return append(problems, op.checkForm(content.Schema, x.body)...)
	}
	var value any
	if err := json.Unmarshal(x.body, &value); err != nil {
		return append(problems, problem{"request", "", "the body is not JSON"})
	}
	return append(problems, op.checkValue("request", content.Schema, value)...)
}

func kinds(content openapi3.Content) []string {
	var names []string
	for name := range content {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (op *operation) checkQuery(query url.Values) []problem {
	var problems []problem
	for name, values := range query {
		parameter := op.queryParameter(name)
		if parameter == nil {
			problems = append(problems, problem{"query", name, "is not a parameter of the operation"})
			continue
		}
		for _, value := range values {
			if parameter.Schema != nil && !fits(parameter.Schema.Value, value) {
				problems = append(problems, problem{"query", name, "has a value of another type than the schema says"})
			}
		}
	}
	return problems
}

func (op *operation) queryParameter(name string) *openapi3.Parameter {
	for _, all := range []openapi3.Parameters{op.what.Parameters, op.item.Parameters} {
		if found := all.GetByInAndName("query", name); found != nil {
			return found
		}
	}
	return nil
}

func fits(schema *openapi3.Schema, text string) bool {
	var value any = text
	switch {
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		number, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return false
		}
		value = number
	case schema.Type.Is("boolean"):
		flag, err := strconv.ParseBool(text)
		if err != nil {
			return false
		}
		value = flag
	}
	return schema.VisitJSON(value) == nil
}

// clientProof are the parameters every OAuth endpoint takes that asks who the
// client is; Okta describes them as security schemes, not as fields.
func clientProof() []string {
	return []string{"client_id", "client_secret", "client_assertion", "client_assertion_type"}
}

func (op *operation) checkForm(schema *openapi3.SchemaRef, raw []byte) []problem {
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return []problem{{"request", "", "the body is not a form"}}
	}
	value := map[string]any{}
	for name, values := range form {
		if len(values) != 1 {
			return []problem{{"request", name, "is repeated"}}
		}
		if !slices.Contains(clientProof(), name) {
			value[name] = values[0]
		}
	}
	return op.checkValue("request", schema, value)
}
