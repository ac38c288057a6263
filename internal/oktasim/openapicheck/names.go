package openapicheck

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// concrete follows the discriminator of a schema: the schema of an app says little,
// the schema of an OpenID Connect app says it all.
func (op *operation) concrete(schema *openapi3.SchemaRef, value any) []*openapi3.SchemaRef {
	found := []*openapi3.SchemaRef{schema}
	object, isObject := value.(map[string]any)
	if !isObject || schema.Value.Discriminator == nil || len(schema.Value.OneOf) > 0 {
		return found
	}
	text, _ := object[schema.Value.Discriminator.PropertyName].(string)
	mapped, exists := schema.Value.Discriminator.Mapping[text]
	if !exists {
		return found
	}
	name := mapped.Ref[strings.LastIndex(mapped.Ref, "/")+1:]
	if special := op.spec.Components.Schemas[name]; special != nil {
		found = append(found, special)
	}
	return found
}

// checkNames finds fields that no schema names which the value could be of.
func (op *operation) checkNames(part, path string, schemas []*openapi3.SchemaRef, value any) []problem {
	var problems []problem
	switch v := value.(type) {
	case []any:
		var items []*openapi3.SchemaRef
		for _, s := range op.spread(schemas, nil) {
			if s.Value.Items != nil {
				items = append(items, s.Value.Items)
			}
		}
		for _, each := range v {
			problems = append(problems, op.checkNames(part, path+"[]", items, each)...)
		}
	case map[string]any:
		all := op.spread(schemas, v)
		if free(all) {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			problems = append(problems, op.checkName(part, path, name, all, v[name])...)
		}
	}
	return problems
}

func (op *operation) checkName(part, path, name string, all []*openapi3.SchemaRef, value any) []problem {
	at := strings.TrimPrefix(path+"."+name, ".")
	var inner []*openapi3.SchemaRef
	for _, s := range all {
		if property := s.Value.Properties[name]; property != nil {
			inner = append(inner, property)
		}
	}
	if len(inner) == 0 {
		return []problem{{part, at, "is not in the schema"}}
	}
	if name == "_links" || name == "_embedded" {
		return nil
	}
	return op.checkNames(part, at, inner, value)
}

// spread gives the schemas with all the schemas they are made of.
func (op *operation) spread(schemas []*openapi3.SchemaRef, value map[string]any) []*openapi3.SchemaRef {
	seen := map[*openapi3.Schema]bool{}
	var all []*openapi3.SchemaRef
	var walk func([]*openapi3.SchemaRef)
	walk = func(refs []*openapi3.SchemaRef) {
		for _, ref := range refs {
			if ref == nil || ref.Value == nil || seen[ref.Value] {
				continue
			}
			seen[ref.Value] = true
			all = append(all, ref)
			walk(ref.Value.AllOf)
			walk(ref.Value.OneOf)
			walk(ref.Value.AnyOf)
			if value != nil {
				walk(op.concrete(ref, value))
			}
		}
	}
	walk(schemas)
	return all
}

// free tells an object whose names are not fixed: it is described as open, or not
// described at all.
func free(schemas []*openapi3.SchemaRef) bool {
	named := false
	for _, s := range schemas {
		open := s.Value.AdditionalProperties
		if open.Schema != nil || open.Has != nil && *open.Has {
			return true
		}
		named = named || len(s.Value.Properties) > 0
	}
	return !named
}

// flatten tells every error of a schema, by field and without values.
func flatten(part string, err error) []problem {
	if err == nil {
		return nil
	}
	if many, is := errors.AsType[openapi3.MultiError](err); is {
		var problems []problem
		for _, each := range many {
			problems = append(problems, flatten(part, each)...)
		}
		return problems
	}
	if one, is := errors.AsType[*openapi3.SchemaError](err); is {
		return []problem{{part, strings.Join(one.JSONPointer(), "."), one.Reason}}
	}
	return []problem{{part, "", "does not fit the schema"}}
}
