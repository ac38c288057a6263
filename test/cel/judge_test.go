package cel

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	crd "github.com/agentidentity/agent-identity-operator/config/crd"
	"github.com/agentidentity/agent-identity-operator/internal/manifest"
)

// judge compiles every rule once for all tests.
var judge = sync.OnceValues(func() (*manifest.Judge, error) { return manifest.New(crd.Files) })

// agree holds that package manifest, which people ask when they have no cluster, says of an
// object what the API server has said: the same complaints, and the same defaults. Every
// case of this package passes here.
func agree(t *testing.T, o, before, stored *unstructured.Unstructured, refusal error) {
	t.Helper()
	judge, err := judge()
	if err != nil {
		t.Fatal(err)
	}
	text, err := o.MarshalJSON() // numbers as a decoder gives them that reads for the API server
	mine := &unstructured.Unstructured{}
	if err == nil {
		err = mine.UnmarshalJSON(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	complaints := judge.Complete(t.Context(), mine, before)
	if refusal == nil {
		if len(complaints) > 0 {
			t.Errorf("the API server takes what package manifest refuses: %v", complaints.ToAggregate())
		} else if diff := cmp.Diff(stored.Object["spec"], mine.Object["spec"]); diff != "" {
			t.Errorf("the spec that the API server stores is not the one package manifest gives (-server +manifest):\n%s", diff)
		}
		return
	}
	var status apierrors.APIStatus
	if !errors.As(refusal, &status) {
		t.Fatalf("no answer of the API server: %v", refusal)
	}
	if apierrors.IsBadRequest(refusal) {
		if len(complaints) == 0 {
			t.Errorf("package manifest takes what the API server cannot read: %v", refusal)
		}
		return // unknown fields: the server names them in one sentence
	}
	var theirs, ours []string
	for _, cause := range status.Status().Details.Causes {
		if !strings.Contains(cause.Message, "some validation rules were not checked") {
			theirs = append(theirs, cause.Field+": "+cause.Message)
		}
	}
	for _, complaint := range complaints {
		ours = append(ours, complaint.Field+": "+complaint.ErrorBody())
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("the API server and package manifest do not refuse for the same reasons (-server +manifest):\n%s", diff)
	}
}
