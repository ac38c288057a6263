package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
	"github.com/agentidentity/agent-identity-operator/internal/okta"
)

// leaseName is the operator's lease.
const leaseName = "agent-identity-operator.agentidentity.dev"

// examinationFlags are what the flags ask for.
type examinationFlags struct {
	operator    string
	orgURL      string
	credentials string
	caFile      string
	share       int
	noCluster   bool
}

func (p *plugin) doctor() *cobra.Command {
	var q examinationFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether the operator and its Okta org are as they must be",
		Long: `Look whether the cluster has the kinds, whether an operator is at work, and which objects are
not ready and why.

With --credentials, a directory with the operator's own client_id, private_key.pem and key_id
(or api_token), it also signs in to the org as the operator does and looks at what it was
granted, at the setting that must be off, and at the rate limits: before the operator is
installed (--no-cluster), or when it says that Okta refuses it. Nothing is changed.

Exit code 1 when something is not as it must be.`,
		Example: `  kubectl agentid doctor
  kubectl agentid doctor --no-cluster --org-url https://example.okta.com --credentials ./operator`,
		Args: atMost(0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error { return p.runDoctor(c.Context(), q) },
	}
	withOperatorNamespace(c, &q.operator)
	f := c.Flags()
	f.StringVar(&q.orgURL, "org-url", "", "the org, such as https://example.okta.com")
	f.StringVar(&q.credentials, "credentials", "", "a directory with the operator's credentials for Okta")
	f.StringVar(&q.caFile, "ca-file", "", "certificate authorities to trust beside the system's, in PEM")
	f.IntVar(&q.share, "rate-limit-share", 50, "the percentage of each rate limit that the operator may use")
	f.BoolVar(&q.noCluster, "no-cluster", false, "look at Okta only")
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// checkView is one thing that was looked at.
type checkView struct {
	Where  string `json:"where"`
	Check  string `json:"check"`
	Result string `json:"result"`
	Detail string `json:"detail,omitempty"`
}

// budgetView is one rate limit, in calls a minute.
type budgetView struct {
	Name  string `json:"name"`
	Limit int    `json:"limit"`
	Ours  int    `json:"ours"`
	Left  int    `json:"left"`
}

type diagnosis struct {
	Checks []checkView `json:"checks"`
	// RateLimits are those that the checks met.
	RateLimits []budgetView `json:"rateLimits,omitempty"`
}

func (d *diagnosis) note(where, check string, state okta.CheckState, detail string) {
	d.Checks = append(d.Checks, checkView{where, check, string(state), detail})
}

func (p *plugin) runDoctor(ctx context.Context, q examinationFlags) error {
	if q.noCluster && q.credentials == "" {
		return misuse("with --no-cluster, give --credentials and --org-url: there is nothing else to look at")
	}
	d := diagnosis{Checks: []checkView{}}
	if !q.noCluster {
		if err := p.examineCluster(ctx, &d, q.operator); err != nil {
			return err
		}
	}
	if q.credentials != "" {
		if err := p.examineOrg(ctx, &d, q); err != nil {
			return err
		}
	}
	if err := p.showDiagnosis(d); err != nil {
		return err
	}
	for _, check := range d.Checks {
		if check.Result == string(okta.CheckFailed) {
			return errors.New("something is not as it must be")
		}
	}
	return nil
}

// examineCluster looks for the kinds, the operator, and objects that are not ready.
func (p *plugin) examineCluster(ctx context.Context, d *diagnosis, operator string) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	p.examineLease(ctx, c, d, operator)
	for _, kind := range kinds() {
		objects, err := listKind(ctx, c, kind, "")
		if apierrors.IsForbidden(err) {
			namespace, scopeErr := p.namespace()
			if scopeErr != nil {
				return scopeErr
			}
			p.say("you may not list %s objects in all namespaces: those of %s are looked at", kind, namespace)
			objects, err = listKind(ctx, c, kind, namespace)
		}
		if err != nil {
			d.note("cluster", kind, okta.CheckFailed, err.Error())
			continue
		}
		noteReadiness(d, kind, objects)
	}
	return nil
}

func (p *plugin) examineLease(ctx context.Context, c client.Client, d *diagnosis, operator string) {
	lease := &unstructured.Unstructured{}
	lease.SetGroupVersionKind(kindLease())
	at := types.NamespacedName{Namespace: operator, Name: leaseName}
	const check = "an operator is at work"
	if err := c.Get(ctx, at, lease); err != nil {
		detail := fmt.Sprintf("reading Lease %s: %v", at, err)
		if apierrors.IsNotFound(err) {
			detail = fmt.Sprintf("there is no Lease %s: it was never started, or is in another namespace (--operator-namespace)", at)
		}
		d.note("operator", check, okta.CheckFailed, detail)
		return
	}
	holder, _, _ := unstructured.NestedString(lease.Object, "spec", "holderIdentity")
	text, _, _ := unstructured.NestedString(lease.Object, "spec", "renewTime")
	seconds, _, _ := unstructured.NestedInt64(lease.Object, "spec", "leaseDurationSeconds")
	renewed, err := time.Parse(time.RFC3339Nano, text)
	age := p.Clock.Now().Sub(renewed).Round(time.Second)
	switch {
	case holder == "" || err != nil:
		d.note("operator", check, okta.CheckFailed, "nobody holds its Lease: it was stopped")
	case age > 2*time.Duration(seconds)*time.Second:
		d.note("operator", check, okta.CheckFailed,
			fmt.Sprintf("%s renewed its Lease %s ago: it has ended, or cannot reach the API server", holder, age))
	default:
		d.note("operator", check, okta.CheckOK, holder)
	}
}

// noteReadiness counts objects that are ready, and tells each reason once, with an example. Who
// is cut off because somebody asked for it is as they must be.
func noteReadiness(d *diagnosis, kind string, objects []client.Object) {
	ready, asked := 0, 0
	var reasons []string
	count, example := map[string]int{}, map[string]string{}
	for _, o := range objects {
		condition := readyOf(conditionsOf(o), o.GetGeneration())
		if condition.Status == metav1.ConditionTrue {
			ready++
			continue
		}
		if slices.Contains([]string{v1alpha1.ReasonSuspended, v1alpha1.ReasonExpired, v1alpha1.ReasonQuarantined}, condition.Reason) {
			asked++
			continue
		}
		if count[condition.Reason]++; count[condition.Reason] == 1 {
			reasons = append(reasons, condition.Reason)
			example[condition.Reason] = fmt.Sprintf("%s/%s: %s", o.GetNamespace(), o.GetName(), condition.Message)
		}
	}
	if len(reasons) == 0 {
		detail := fmt.Sprintf("%d of %d are ready", ready, len(objects))
		if asked > 0 {
			detail += fmt.Sprintf(", and %d cut off as somebody asked", asked)
		}
		d.note("cluster", kind, okta.CheckOK, detail)
	}
	for _, reason := range reasons {
		d.note("cluster", kind, okta.CheckFailed,
			fmt.Sprintf("%d of %d are %s, such as %s", count[reason], len(objects), reason, example[reason]))
	}
}

// examineOrg signs in as the operator does.
func (p *plugin) examineOrg(ctx context.Context, d *diagnosis, q examinationFlags) error {
	if q.orgURL == "" {
		return misuse("give --org-url: the operator's credentials are sent to no address that somebody wrote into the cluster")
	}
	config := okta.Config{
		OrgURL: q.orgURL, Cluster: "kubectl-agentid", Audience: "kubectl-agentid", Credentials: okta.FileCredentials(q.credentials),
		Share: q.share, Clock: p.Clock, Logger: logr.Discard(),
	}
	if q.caFile != "" {
		bundle, err := os.ReadFile(q.caFile)
		if err != nil {
			return usageError{fmt.Errorf("reading --ca-file: %w", err)}
		}
		config.CABundle = bundle
	}
	found, err := p.examine(ctx, config)
	if err != nil {
		return usageError{err}
	}
	for _, check := range found.Checks {
		d.note("okta", check.Name, check.State, check.Detail)
	}
	for _, b := range found.Budgets {
		d.RateLimits = append(d.RateLimits, budgetView{b.Class, b.Limit, b.Ours, b.Left})
	}
	return nil
}

func (p *plugin) examine(ctx context.Context, config okta.Config) (okta.Examination, error) {
	if p.Examine != nil {
		return p.Examine(ctx, config)
	}
	return okta.Examine(ctx, config)
}

func (p *plugin) showDiagnosis(d diagnosis) error {
	if p.flags.output != formatTable {
		return p.printValue(d)
	}
	var out strings.Builder
	rows := make([][]string, len(d.Checks))
	for i, check := range d.Checks {
		rows[i] = []string{check.Where, check.Check, check.Result}
		if check.Result == string(okta.CheckOK) {
			rows[i] = append(rows[i], check.Detail)
		} else {
			rows[i] = append(rows[i], "see below")
		}
	}
	out.WriteString(newTable("WHERE", "CHECK", "RESULT", "DETAIL").format(rows))
	if len(d.RateLimits) > 0 {
		out.WriteByte('\n')
		rows := make([][]string, len(d.RateLimits))
		for i, b := range d.RateLimits {
			rows[i] = []string{b.Name, fmt.Sprint(b.Limit), fmt.Sprint(b.Ours), fmt.Sprint(b.Left)}
		}
		out.WriteString(newTable("RATE LIMIT", "PER MINUTE", "OURS", "LEFT NOW").format(rows))
	}
	for _, check := range d.Checks {
		if check.Result != string(okta.CheckOK) {
			fmt.Fprintf(&out, "\n%s, %s: %s\n", plain(check.Check), check.Result, plain(check.Detail))
		}
	}
	_, err := io.WriteString(p.Streams.Out, out.String())
	return err
}
