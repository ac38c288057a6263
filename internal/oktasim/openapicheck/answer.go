package openapicheck

import (
	"encoding/json"
	"mime"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

const noContentType = "the content type is not the described one"

func (op *operation) checkAnswer(x exchange) []problem {
	kind, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	if x.status >= 500 && kind != "application/json" {
		// A proxy in between, not Okta.
		return nil
	}
	described := op.what.Responses.Value(strconv.Itoa(x.status))
	if described == nil {
		return op.checkOther(x)
	}
	if len(x.answer) == 0 {
		if len(described.Value.Content) > 0 && x.status != 204 {
			return []problem{{"answer", "", "the body is missing"}}
		}
		return nil
	}
	content := described.Value.Content.Get(kind)
	if content == nil || content.Schema == nil {
		if x.status >= 400 {
			return op.checkOther(x)
		}
		return []problem{{"answer", "", noContentType}}
	}
	var value any
	if err := json.Unmarshal(x.answer, &value); err != nil {
		return []problem{{"answer", "", "the body is not JSON"}}
	}
	if x.status >= 400 {
		return op.checkError(value)
	}
	return op.checkValue("answer", content.Schema, value)
}

// checkOther is for statuses the operation does not describe: Okta describes only
// some of its errors.
func (op *operation) checkOther(x exchange) []problem {
	if x.status < 400 {
		return []problem{{"answer", "", "the status " + strconv.Itoa(x.status) + " is not described"}}
	}
	var value any
	if err := json.Unmarshal(x.answer, &value); err != nil {
		return []problem{{"answer", "", "the error is not JSON"}}
	}
	return op.checkError(value)
}

// checkError holds an error body against the two forms Okta has. OAuth endpoints
// answer with the other one when the request does not get as far as OAuth.
func (op *operation) checkError(value any) []problem {
	object, _ := value.(map[string]any)
	name := "Error"
	if op.oauth && object["error"] != nil {
		name = "OAuthError"
	}
	schema := op.spec.Components.Schemas[name]
	if name == "Error" && object["errorCode"] == nil {
		return []problem{{"answer", "", "the error has no errorCode"}}
	}
	return op.checkValue("answer", schema, value)
}

// checkValue checks the types and bounds, and then the names.
func (op *operation) checkValue(part string, schema *openapi3.SchemaRef, value any) []problem {
	if schema == nil {
		return nil
	}
	value = withoutNulls(value)
	option := openapi3.VisitAsResponse()
	if part == "request" {
		option = openapi3.VisitAsRequest()
	}
	var problems []problem
	for _, candidate := range op.concrete(schema, value) {
		err := candidate.Value.VisitJSON(value, option, openapi3.MultiErrors(),
			openapi3.DisableReadOnlyValidation(), openapi3.DisableWriteOnlyValidation())
		problems = append(problems, flatten(part, err)...)
	}
	return append(problems, op.checkNames(part, "", []*openapi3.SchemaRef{schema}, value)...)
}

// withoutNulls drops the fields that are null.
func withoutNulls(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, each := range v {
			if each != nil {
				kept[name] = withoutNulls(each)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, each := range v {
			kept[i] = withoutNulls(each)
		}
		return kept
	}
	return value
}
