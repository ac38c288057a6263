package model

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

// admission is what the API server makes of our CRDs: it fills in defaults and
// holds objects against the schema and the CEL rules, as a real one does.
type admission struct{ kinds map[string]crd }

type crd struct {
	structural *structuralschema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// crds reads the CRDs once for all worlds.
var crds = sync.OnceValue(func() *admission {
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "crd", "bases", "*.yaml"))
	if err != nil || len(files) == 0 {
		panic("there are no CRDs to be found")
	}
	a := &admission{kinds: map[string]crd{}}
	for _, file := range files {
		kind, read, err := readCRD(file)
		if err != nil {
			panic("reading " + file + ": " + err.Error())
		}
		a.kinds[kind] = read
	}
	return a
})

func readCRD(file string) (string, crd, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", crd{}, err
	}
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return "", crd{}, err
	}
	var internal apiextensions.JSONSchemaProps
	external := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, &internal, nil); err != nil {
		return "", crd{}, err
	}
	structural, err := structuralschema.NewStructural(&internal)
	if err != nil {
		return "", crd{}, err
	}
	schema, _, err := validation.NewSchemaValidator(&internal)
	return definition.Spec.Names.Kind, crd{
		structural: structural, schema: schema, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, err
}

// admit fills in defaults and says why the object is refused; old is nil for a new one.
func (a *admission) admit(kind string, obj, old client.Object) error {
	d, known := a.kinds[kind]
	if !known {
		return nil
	}
	content, err := unstructured(obj, kind)
	if err != nil {
		return err
	}
	defaulting.Default(content, d.structural)
	var before map[string]any
	if old != nil {
		if before, err = unstructured(old, kind); err != nil {
			return err
		}
	}
	if complaints := d.complaints(content, before); len(complaints) > 0 {
		return apierrors.NewInvalid(v1alpha1.GroupVersion.WithKind(kind).GroupKind(), obj.GetName(), complaints)
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(content, obj)
}

func (d crd) complaints(content, before map[string]any) field.ErrorList {
	var old any
	var complaints field.ErrorList
	if before == nil {
		complaints = validation.ValidateCustomResource(nil, content, d.schema)
	} else {
		old = before
		complaints = validation.ValidateCustomResourceUpdate(nil, content, before, d.schema)
	}
	complaints = append(complaints, listtype.ValidateListSetsAndMaps(nil, d.structural, content)...)
	if len(complaints) > 0 || d.rules == nil {
		return complaints
	}
	complaints, _ = d.rules.Validate(context.Background(), nil, d.structural, content, old, celconfig.RuntimeCELCostBudget)
	return complaints
}

func unstructured(obj client.Object, kind string) (map[string]any, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return nil, err
	}
	content["apiVersion"], content["kind"] = v1alpha1.GroupVersion.String(), kind
	return content, nil
}
