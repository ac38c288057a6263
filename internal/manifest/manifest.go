// Package manifest judges manifests as the API server would that has the CRDs of this
// version: unknown fields, defaults, the schema and the CEL rules. No server is asked.
//
// What it does not know is what a server adds to the CRDs: admission policies, webhooks and
// quotas.
package manifest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"sigs.k8s.io/yaml"
)

// Judge knows the kinds.
type Judge struct{ kinds map[string]*kind }

// kind is one of them, of its one version.
type kind struct {
	structural *schema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// New reads the CRDs, of which each has one version.
func New(crds fs.FS) (*Judge, error) {
	j := &Judge{kinds: map[string]*kind{}}
	return j, fs.WalkDir(crds, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(crds, path)
		if err != nil {
			return err
		}
		if err := j.add(text); err != nil {
			return fmt.Errorf("reading the CRD %s: %w", path, err)
		}
		return nil
	})
}

func (j *Judge) add(text []byte) error {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		return err
	}
	if len(crd.Spec.Versions) != 1 {
		return fmt.Errorf("it has %d versions", len(crd.Spec.Versions))
	}
	var internal apiextensions.JSONSchemaProps
	external := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &internal, nil); err != nil {
		return err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return err
	}
	validator, _, err := validation.NewSchemaValidator(&internal)
	if err != nil {
		return err
	}
	j.kinds[crd.Spec.Names.Kind] = &kind{
		structural: structural, schema: validator, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
	return nil
}

// Knows tells whether there is such a kind.
func (j *Judge) Knows(kind string) bool { return j.kinds[kind] != nil }

// Complete fills in the defaults of a manifest and says what the API server would refuse it
// for; before is the object that it replaces, nil when there is none.
func (j *Judge) Complete(ctx context.Context, object, before *unstructured.Unstructured) field.ErrorList {
	k := j.kinds[object.GetKind()]
	if k == nil {
		return field.ErrorList{field.NotSupported(field.NewPath("kind"), object.GetKind(), j.names())}
	}
	errs := named(object)
	unknown := pruning.PruneWithOptions(object.Object, k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		errs = append(errs, field.Forbidden(field.NewPath(path), "there is no such field"))
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object.Object, k.structural)
	defaulting.Default(object.Object, k.structural)
	var old any
	var shape []validation.ValidationOption
	var rules []cel.Option
	if before != nil {
		old = before.Object
		// What was there before and is not touched may be what a later version refuses.
		unchanged := common.NewCorrelatedObject(object.Object, old, &model.Structural{Structural: k.structural})
		shape = append(shape, validation.WithRatcheting(unchanged))
		rules = append(rules, cel.WithRatcheting(unchanged))
		errs = append(errs, validation.ValidateCustomResourceUpdate(nil, object.Object, old, k.schema, shape...)...)
	} else {
		errs = append(errs, validation.ValidateCustomResource(nil, object.Object, k.schema)...)
	}
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, object.Object)...)
	if slices.ContainsFunc(errs, misshapen) {
		return errs
	}
	broken, _ := k.rules.Validate(ctx, nil, k.structural, object.Object, old, celconfig.RuntimeCELCostBudget, rules...)
	return append(errs, broken...)
}

// misshapen tells the errors after which rules are not asked: they may not have what they
// speak of.
func misshapen(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

// named holds the metadata to what a server holds that of every custom resource to: its name is
// part of a DNS name.
func named(object *unstructured.Unstructured) field.ErrorList {
	at := field.NewPath("metadata")
	if object.GetName() == "" {
		return field.ErrorList{field.Required(at.Child("name"), "name the object")}
	}
	var meta metav1.ObjectMeta
	content, _, err := unstructured.NestedMap(object.Object, "metadata")
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(content, &meta)
	}
	if err != nil {
		return field.ErrorList{field.Invalid(at, object.GetName(), err.Error())}
	}
	return apivalidation.ValidateObjectMeta(&meta, true, apivalidation.NameIsDNSSubdomain, at)
}

func (j *Judge) names() []string {
	names := make([]string, 0, len(j.kinds))
	for name := range j.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
