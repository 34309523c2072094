package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// consoleURL is where a change set is shown in the AWS console.
func consoleURL(region string, set cfn.ChangeSet) string {
	host := "console.aws.amazon.com"
	switch {
	case strings.HasPrefix(region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	return fmt.Sprintf("https://%s.%s/cloudformation/home?region=%s#/stacks/changesets/changes?stackId=%s&changeSetId=%s",
		region, host, region, url.QueryEscape(set.StackID), url.QueryEscape(set.ID))
}

// covered is a change set without the secret values that the project gives it.
// CloudFormation covers those of NoEcho parameters alone.
func covered(set cfn.ChangeSet, desired *stacks.Desired) cfn.ChangeSet {
	secret := plan.Secrets(desired)
	set.Parameters, set.Tags = slices.Clone(set.Parameters), slices.Clone(set.Tags)
	for i := range set.Parameters {
		set.Parameters[i].Value = plan.CoverText(set.Parameters[i].Value, secret)
	}
	for i := range set.Tags {
		set.Tags[i].Value = plan.CoverText(set.Tags[i].Value, secret)
	}
	return set
}

// showInputs writes what a change set gives its stack, where that was asked
// for.
func (a *app) showInputs(set cfn.ChangeSet, asked bool) {
	if !asked {
		return
	}
	var rows [][]string
	for _, p := range set.Parameters {
		rows = append(rows, []string{"  parameter", p.Key, p.Value})
	}
	for _, t := range set.Tags {
		rows = append(rows, []string{"  tag", t.Key, t.Value})
	}
	for _, n := range set.Nested {
		rows = append(rows, []string{"  nested", n, ""})
	}
	ui.Table(a.env.Stdout, nil, rows)
}
