package plugin

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

var update = flag.Bool("update", false, "write testdata anew")

var now = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

func at(d time.Duration) *metav1.Time { return new(metav1.NewTime(now.Add(d))) }

// world is a cluster, a log and a person before a terminal.
type world struct {
	*testing.T
	ctx    context.Context // the test's own when nil
	clock  *clocktesting.FakeClock
	client client.WithWatch
	env    map[string]string
	log    identity.SystemLog
	orgURL string // at which the log was opened
	token  okta.CredentialSource
	// examined is what an examination of the org finds.
	examined okta.Examination
	out      bytes.Buffer
	errs     bytes.Buffer
	watched  func(client.WithWatch) // runs when a watch has begun
}

// newWorld makes a cluster that fails the test when anything but the kinds of the API is
// asked for.
func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	t.Setenv("KUBECONFIG", kubeconfig(t))
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, clock: clocktesting.NewFakeClock(now), env: map[string]string{}}
	byName := func(o client.Object) []string { return []string{o.GetName()} }
	b := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&v1alpha1.AgentAPIKey{}, &v1alpha1.AIAgentRole{}, &v1alpha1.AccessPolicy{})
	for _, o := range []client.Object{&v1alpha1.AgentAPIKey{}, &v1alpha1.AIAgentRole{}, &v1alpha1.AccessPolicy{}} {
		b = b.WithIndex(o, "metadata.name", byName)
	}
	w.client = b.WithInterceptorFuncs(w.guard()).Build()
	return w
}

// guard holds that the plugin asks for nothing but the kinds of the API.
func (w *world) guard() interceptor.Funcs {
	known := func(o any) {
		switch o := o.(type) {
		case *v1alpha1.AgentAPIKey, *v1alpha1.AgentAPIKeyList, *v1alpha1.AIAgentRole, *v1alpha1.AIAgentRoleList,
			*v1alpha1.AccessPolicy, *v1alpha1.AccessPolicyList, *v1alpha1.AuditSink:
		case *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList, *unstructured.Unstructured, *unstructured.UnstructuredList:
			kind := o.(runtime.Object).GetObjectKind().GroupVersionKind()
			kind.Kind = strings.TrimSuffix(kind.Kind, "List")
			if kind.Group != v1alpha1.GroupVersion.Group && !slices.Contains([]schema.GroupVersionKind{kindNamespace(), kindConfigMap(), kindLease()}, kind) {
				w.Errorf("the plugin asks for %s", kind)
			}
		default:
			w.Errorf("the plugin asks for %T", o)
		}
	}
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			known(o)
			return c.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			known(l)
			return c.List(ctx, l, opts...)
		},
		Watch: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
			known(l)
			begun, err := c.Watch(ctx, l, opts...)
			if w.watched != nil && err == nil {
				w.watched(c)
			}
			return begun, err
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			known(o)
			return c.Create(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			known(o)
			return deleteOf(ctx, c, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			known(o)
			return c.Patch(ctx, o, p, opts...)
		},
	}
}

// deleteOf deletes as a server does, which the fake does not: not what has come in the object's place.
func deleteOf(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
	asked := (&client.DeleteOptions{}).ApplyOptions(opts)
	there, is := o.DeepCopyObject().(client.Object)
	if is && asked.Preconditions != nil && asked.Preconditions.UID != nil &&
		c.Get(ctx, client.ObjectKeyFromObject(o), there) == nil && there.GetUID() != *asked.Preconditions.UID {
		return apierrors.NewConflict(schema.GroupResource{}, o.GetName(), fmt.Errorf("the uid is %s", there.GetUID()))
	}
	return c.Delete(ctx, o, opts...)
}

// confine makes the person one who may list in these namespaces only.
func (w *world) confine(namespaces ...string) {
	w.client = interceptor.NewClient(w.client, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			if in := (&client.ListOptions{}).ApplyOptions(opts).Namespace; !slices.Contains(namespaces, in) {
				return apierrors.NewForbidden(schema.GroupResource{Group: v1alpha1.GroupVersion.Group}, "", fmt.Errorf("not in namespace %q", in))
			}
			return c.List(ctx, l, opts...)
		},
	})
}

// kubeconfig names the namespace chatbot, and a cluster that nobody asks.
func kubeconfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := `{apiVersion: v1, kind: Config, current-context: c,
contexts: [{name: c, context: {cluster: c, user: u, namespace: chatbot}}],
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: u, user: {}}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs the plugin, and gives its exit code.
func (w *world) run(args ...string) int { return w.runAs("kubectl-agentid", args...) }

func (w *world) runAs(name string, args ...string) int {
	ctx := w.ctx
	if ctx == nil {
		ctx = w.Context()
	}
	return Run(ctx, Options{
		Args: append([]string{name}, args...), Clock: w.clock, Version: "test",
		Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &w.out, ErrOut: &w.errs},
		Getenv:  func(name string) string { return w.env[name] },
		Connect: func() (client.WithWatch, error) { return w.client, nil },
		OpenLog: func(orgURL string, token okta.CredentialSource) (identity.SystemLog, error) {
			w.orgURL, w.token = orgURL, token
			return w.log, nil
		},
		Examine: func(_ context.Context, config okta.Config) (okta.Examination, error) {
			w.orgURL, w.token = config.OrgURL, config.Credentials
			return w.examined, nil
		},
	})
}

// screen is what the person sees, with the exit code.
func (w *world) screen(args ...string) string {
	code := w.run(args...)
	return fmt.Sprintf("$ kubectl agentid %s\n%s--- stderr\n%s--- exit %d\n", strings.Join(args, " "), w.out.String(), w.errs.String(), code)
}

// golden compares with testdata; go test -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func ready(status metav1.ConditionStatus, reason, message string) []metav1.Condition {
	return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message, ObservedGeneration: 1, LastTransitionTime: *at(-time.Hour)}}
}

func key(namespace, name string) *v1alpha1.AgentAPIKey {
	return &v1alpha1.AgentAPIKey{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1, UID: "uid-of-the-key"},
		Spec: v1alpha1.AgentAPIKeySpec{
			RoleRef: v1alpha1.RoleReference{Name: "chatbot"}, Agent: v1alpha1.Agent{Name: "Customer " + name, Owners: []string{"team-chat"}},
			Delivery: v1alpha1.DeliveryPrivateKeyJWT, DeletionPolicy: v1alpha1.DeletionDelete, Secret: v1alpha1.SecretTarget{Name: v1alpha1.ObjectName(name + "-okta")},
		},
		Status: v1alpha1.AgentAPIKeyStatus{
			ObservedGeneration: 1, ClientID: "aik-" + namespace + "-" + name, AppID: "0oa" + name, KeyID: "kid-1",
			CredentialCreatedAt: at(-49 * time.Hour), Conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonReady, "all agree"),
		},
	}
}

func role(namespace, name string) *v1alpha1.AIAgentRole {
	return &v1alpha1.AIAgentRole{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1, UID: "uid-of-the-role"},
		Status: v1alpha1.AIAgentRoleStatus{
			ObservedGeneration: 1, GroupID: "00g" + name, Issuer: "https://example.okta.com/oauth2/aus1",
			Conditions: ready(metav1.ConditionTrue, v1alpha1.ReasonReady, "all agree"),
		},
	}
}

// people makes the role one with people and factors.
func people(role *v1alpha1.AIAgentRole) *v1alpha1.AIAgentRole {
	role.Spec.MFA = &v1alpha1.MFA{Factors: []v1alpha1.Factor{"Push", "SMS"}, Enroll: v1alpha1.EnrollWatch}
	role.Status.Conditions = append(role.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionFactorsEnrolled, Status: metav1.ConditionFalse, Reason: "FactorsMissing", Message: "2 of 3 people lack a factor",
		LastTransitionTime: *at(-26 * time.Hour), ObservedGeneration: 1,
	})
	state := func(push, sms v1alpha1.FactorState) []v1alpha1.FactorStatus {
		return []v1alpha1.FactorStatus{{Factor: "Push", State: push}, {Factor: "SMS", State: sms}}
	}
	role.Status.Members = []v1alpha1.MemberStatus{
		{Login: "ada@example.com", State: v1alpha1.MemberStateMember, Factors: state(v1alpha1.FactorStateActive, v1alpha1.FactorStateActive)},
		{Login: "bob@example.com", State: v1alpha1.MemberStateMember, Factors: state(v1alpha1.FactorStatePending, v1alpha1.FactorStateNotEnrolled)},
		{Login: "eve@example.com", State: v1alpha1.MemberStateUnknown},
	}
	return role
}
