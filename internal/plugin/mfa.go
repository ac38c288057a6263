package plugin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/agentidentity/agent-identity-operator/api/v1alpha1"
)

func (p *plugin) mfa() *cobra.Command {
	c := &cobra.Command{Use: "mfa", Short: "The second factors of the people who hold roles"}
	group(c)
	c.AddCommand(p.mfaStatus())
	return c
}

func (p *plugin) mfaStatus() *cobra.Command {
	c := &cobra.Command{
		Use:   "status [ROLE]",
		Short: "Show who has enrolled which second factor",
		Long: `Show who has enrolled which second factor that an AIAgentRole asks for: NotEnrolled,
Pending (begun, and the person has something to do) or Active.

It shows what the operator saw in Okta last. Since when a single factor is in its state is
not known; the summary says since when the role as a whole is.`,
		Example: `  kubectl agentid mfa status -A
  kubectl agentid mfa status chatbot -n chatbot -o json`,
		Args:              atMost(1, "one role at most"),
		ValidArgsFunction: p.completeRole,
		RunE:              func(c *cobra.Command, args []string) error { return p.runMFAStatus(c.Context(), args) },
	}
	p.withAllNamespaces(c)
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// roleView is what is shown of a role.
type roleView struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Asked are the factors that each member is to have; Enroll is whether the operator
	// starts what is missing.
	Asked  []v1alpha1.Factor `json:"asked,omitempty"`
	Enroll string            `json:"enroll,omitempty"`
	// Enrolled is the condition FactorsEnrolled; absent where no factors are asked for.
	Enrolled *enrolledView `json:"enrolled,omitempty"`
	Active   int           `json:"active"`
	Wanted   int           `json:"wanted"`
	People   []personView  `json:"people,omitempty"`
}

type enrolledView struct {
	Status  string       `json:"status"`
	Reason  string       `json:"reason"`
	Message string       `json:"message,omitempty"`
	Since   *metav1.Time `json:"since,omitempty"`
}

type personView struct {
	Login   string                  `json:"login"`
	State   v1alpha1.MemberState    `json:"state"`
	Factors []v1alpha1.FactorStatus `json:"factors,omitempty"`
}

func roleViewOf(role *v1alpha1.AIAgentRole) roleView {
	v := roleView{Namespace: role.Namespace, Name: role.Name}
	if mfa := role.Spec.MFA; mfa != nil {
		v.Asked, v.Enroll = mfa.Factors, string(mfa.Enroll)
	}
	if c := meta.FindStatusCondition(role.Status.Conditions, v1alpha1.ConditionFactorsEnrolled); c != nil {
		since := c.LastTransitionTime
		v.Enrolled = &enrolledView{Status: string(c.Status), Reason: c.Reason, Message: c.Message, Since: &since}
	}
	for _, member := range role.Status.Members {
		v.People = append(v.People, personView{Login: string(member.Login), State: member.State, Factors: member.Factors})
		for _, factor := range member.Factors {
			v.Wanted++
			if factor.State == v1alpha1.FactorStateActive {
				v.Active++
			}
		}
	}
	return v
}

func (p *plugin) runMFAStatus(ctx context.Context, names []string) error {
	roles, err := p.rolesOf(ctx, names)
	if err != nil {
		return err
	}
	views := make([]roleView, len(roles))
	for i := range roles {
		views[i] = roleViewOf(&roles[i])
	}
	if p.flags.output != formatTable {
		return p.printValue(list[roleView]{views})
	}
	return p.printRoles(views)
}

// rolesOf gives the role of the name, or all that the person looks at.
func (p *plugin) rolesOf(ctx context.Context, names []string) ([]v1alpha1.AIAgentRole, error) {
	if p.flags.allNamespaces && len(names) > 0 {
		return nil, misuse("give either a role or -A; -n says in which namespace the role is")
	}
	c, err := p.connect()
	if err != nil {
		return nil, err
	}
	namespace, err := p.scope()
	if err != nil {
		return nil, err
	}
	at := types.NamespacedName{Namespace: namespace}
	if len(names) == 1 {
		at.Name = names[0]
		role := v1alpha1.AIAgentRole{}
		if err := c.Get(ctx, at, &role); err != nil {
			return nil, explain(err, "AIAgentRole", at)
		}
		return []v1alpha1.AIAgentRole{role}, nil
	}
	var roles v1alpha1.AIAgentRoleList
	if err := c.List(ctx, &roles, client.InNamespace(namespace)); err != nil {
		return nil, explain(err, "AIAgentRole", at)
	}
	if len(roles.Items) == 0 {
		p.say("%s", none("AIAgentRoles", namespace))
	}
	return roles.Items, nil
}

// printRoles prints everybody's factors, and below them a line for each role.
func (p *plugin) printRoles(views []roleView) error {
	var rows [][]string
	var summary strings.Builder
	for _, v := range views {
		for _, person := range v.People {
			factors := person.Factors
			if len(factors) == 0 {
				factors = []v1alpha1.FactorStatus{{}}
			}
			for _, factor := range factors {
				rows = append(rows, []string{
					v.Namespace, v.Name, person.Login, string(factor.Factor), string(factor.State), whyOf(person, factor, v.Enroll),
				})
			}
		}
		fmt.Fprintf(&summary, "%s/%s: %s\n", v.Namespace, v.Name, plain(summaryOf(v)))
	}
	text := summary.String()
	if len(rows) > 0 {
		text = newTable("NAMESPACE", "ROLE", "PERSON", "FACTOR", "STATE", "WHY").format(rows) + "\n" + text
	}
	_, err := io.WriteString(p.Streams.Out, text)
	return err
}

// whyOf says what is in the way, or what is to come.
func whyOf(person personView, factor v1alpha1.FactorStatus, enroll string) string {
	switch person.State {
	case v1alpha1.MemberStateUnknown:
		return "Okta knows no such person, or has deactivated them"
	case v1alpha1.MemberStateRefused:
		return "a Ceiling does not let the namespace name them"
	case v1alpha1.MemberStateInactive:
		return "suspended or not yet activated in Okta"
	case v1alpha1.MemberStatePending:
		return "to be put into the role's group"
	}
	switch factor.State {
	case v1alpha1.FactorStatePending:
		return "the person has something to do"
	case v1alpha1.FactorStateNotEnrolled:
		if enroll != string(v1alpha1.EnrollStart) {
			return "mfa.enroll is Watch: the operator does not start it"
		}
		return "to be started by the operator, or at a sign-in"
	}
	return ""
}

func summaryOf(v roleView) string {
	if len(v.Asked) == 0 {
		return "asks for no second factors (spec.mfa)"
	}
	if v.Enrolled == nil || len(v.People) == 0 {
		return "the operator does not say yet who has which factor"
	}
	e := v.Enrolled
	return fmt.Sprintf("%d of %d factors active; %s since %s: %s", v.Active, v.Wanted, e.Reason, when(e.Since), e.Message)
}
