package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfn"
	"github.com/deployer-cli/deployer/internal/ui"
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

// showInputs writes what a change set gives its stack, where that was asked
// for. CloudFormation covers the values of NoEcho parameters.
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
