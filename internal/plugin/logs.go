package plugin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentidentity/agent-identity-operator/internal/audit/event"
	"github.com/agentidentity/agent-identity-operator/internal/identity"
)

// logQuery is what the flags ask for.
type logQuery struct {
	since     string
	agent     string
	types     []string
	follow    bool
	orgURL    string
	tokenFile string
}

func (p *plugin) logs() *cobra.Command {
	var q logQuery
	c := &cobra.Command{
		Use:   "logs",
		Short: "Show what Okta's System Log says of agents",
		Long: `Show the events of Okta's System Log that concern agents (AgentAPIKeys) and roles that you
may list: those of the namespace, or of all with -A.

It reads the log as you, with your own API token of Okta, because who may read the log of
the whole org is Okta's to say: the operator lends its own rights to nobody. The token needs
an administrator who may read the System Log, such as a read-only administrator. It is taken
from --token-file or from OKTA_CLIENT_TOKEN, never from the command line, where others would
see it.

The org is taken from --org-url, from OKTA_CLIENT_ORGURL, or from the issuer in the status
of your AIAgentRoles. The latter is believed only when it is a domain of Okta's own: your
token would be sent wherever somebody writes there.

Events stand in the order in which Okta wrote them down, which need not be that in which
they happened. Times are UTC. A table shows what somebody sent to Okta: names and addresses
in it prove nothing. -o json prints one document a line:
{"agent": ..., "role": ..., "event": Okta's own event}; -o yaml the same, as documents.
Agents whose objects are deleted are not known any more; Okta's console shows their events.`,
		Example: `  kubectl agentid logs --since 1h
  kubectl agentid logs --since 7d --agent chatbot/chatbot --type app.oauth2.as.token
  kubectl agentid logs -A --follow -o json`,
		Args: atMost(0, "no arguments (--agent names one)"),
		RunE: func(c *cobra.Command, _ []string) error { return q.ended(c.Context(), p.runLogs(c.Context(), q)) },
	}
	q.flags(c, "1h")
	f := c.Flags()
	f.StringVar(&q.agent, "agent", "", "only this agent: the name of its AgentAPIKey, or namespace/name")
	f.StringSliceVar(&q.types, "type", nil, "only events of this type, or whose type begins with it: app.oauth2.as.token")
	f.BoolVarP(&q.follow, "follow", "f", false, "go on: ask for new events every 30 seconds")
	_ = c.RegisterFlagCompletionFunc("agent", p.completeKeys)
	p.withAllNamespaces(c)
	p.withOutput(c, formatTable, formatJSON, formatYAML)
	return c
}

// flags are those of every verb that reads the log.
func (q *logQuery) flags(c *cobra.Command, since string) {
	f := c.Flags()
	f.StringVar(&q.since, "since", since, "how long ago to begin (90m, 12h, 7d), or a time (2026-11-28T09:00:00Z); 90d at most")
	f.StringVar(&q.orgURL, "org-url", "", "the org, such as https://example.okta.com")
	f.StringVar(&q.tokenFile, "token-file", "", "a file with your API token of Okta")
}

// runLogs finds out everything that may be wrong before Okta is asked.
func (p *plugin) runLogs(ctx context.Context, q logQuery) error {
	since, err := sinceOf(q.since, p.Clock.Now())
	if err != nil {
		return err
	}
	if p.flags.allNamespaces && q.agent != "" {
		return misuse("give either --agent or -A; --agent takes namespace/name")
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	who := &concerned{p: p, c: c, agent: q.agent}
	if err := who.refresh(ctx); err != nil {
		return err
	}
	if who.nobody() && !q.follow {
		return nil // which has been said
	}
	return p.readLog(ctx, q, who, since, p.eventPrinter())
}

// readLog shows what concerns them since then.
func (p *plugin) readLog(ctx context.Context, q logQuery, who *concerned, since time.Time, show func([]event.Event) error) error {
	orgURL, err := p.orgURL(q.orgURL, who.roles)
	if err != nil {
		return err
	}
	credentials, err := p.person(q.tokenFile)
	if err != nil {
		return err
	}
	log, err := p.openLog(orgURL, credentials)
	if err != nil {
		return err
	}
	p.say("reading the System Log of %s since %s", orgURL, since.UTC().Format(time.RFC3339))
	r := &reading{p: p, log: log, who: who, query: q, show: show}
	return r.run(ctx, identity.LogPlace{Since: since})
}

// ended is what came of it: to be stopped is the only end that following has.
func (q logQuery) ended(ctx context.Context, err error) error {
	if q.follow && ctx.Err() != nil {
		err = nil
	}
	return err
}

// sinceOf reads "90m", "7d" and times.
func sinceOf(text string, now time.Time) (time.Time, error) {
	since, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d, err := durationOf(text)
		if err != nil || d < 0 {
			return time.Time{}, misuse("--since %s is neither how long ago (90m, 12h, 7d) nor a time (2026-11-28T09:00:00Z)", text)
		}
		since = now.Add(-d)
	}
	switch {
	case since.After(now):
		return time.Time{}, misuse("--since %s is in the future", text)
	case now.Sub(since) > identity.LogRetention:
		return time.Time{}, misuse("--since %s is too long ago: Okta keeps its log for %d days", text, int(identity.LogRetention.Hours()/24))
	}
	return since, nil
}

// durationOf reads days, too, for people count the age of logs in them.
func durationOf(text string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(text, "d")
	if !isDays {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("reading days: %w", err)
	}
	return time.Duration(n) * 24 * time.Hour, nil
}
