package model

import (
	"cmp"
	"fmt"
	"slices"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func sortedRefs(all objects) []ref { return sortedRefsOf(all, func(ref) bool { return true }) }

// sortedRefsOf names those that fit.
func sortedRefsOf(all objects, fits func(ref) bool) []ref {
	var found []ref
	for r := range all {
		if fits(r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b ref) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name))
	})
	return found
}

// patched applies a patch to an object in JSON.
func patched(before, patch []byte, kind types.PatchType, typed client.Object) ([]byte, error) {
	switch kind {
	case types.MergePatchType:
		return jsonpatch.MergePatch(before, patch)
	case types.StrategicMergePatchType:
		return strategicpatch.StrategicMergePatch(before, patch, typed)
	case types.JSONPatchType:
		decoded, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, err
		}
		return decoded.Apply(before)
	}
	return nil, fmt.Errorf("the API server of this test takes no patch of type %s yet", kind)
}
