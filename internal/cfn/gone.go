package cfn

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/stacks"
)

// gone looks up those of the stacks that are being deleted and were in no listing: a
// listing of deleted stacks says of a hundred at once, by id, that they are, which each
// of them would say for a call of its own. It goes on for as long as a page says more
// than a call by id would. What it does not say, or cannot, is looked up by id.
func (p *poller) gone(ctx context.Context, watchers []*watcher, found map[string]seen) {
	missing := make(map[string]bool)
	for _, w := range watchers {
		if _, ok := found[w.op.StackID]; !ok && w.op.Verb == stacks.Delete && !w.op.Joined {
			missing[w.op.StackID] = true
		}
	}
	var token *string
	for told := 2; len(missing) > 1 && told > 1 && !p.noGone[p.lists]; {
		p.ledger.calls.Add(1)
		page, err := read(ctx, p.cloud, query{access: p.lists, operation: "ListStacks"}, func(cl *cloudformation.Client) (*cloudformation.ListStacksOutput, error) {
			return cl.ListStacks(ctx, &cloudformation.ListStacksInput{NextToken: token, StackStatusFilter: []types.StackStatus{types.StackStatusDeleteComplete}})
		})
		if err != nil {
			p.noGone[p.lists] = awsconf.IsDenied(err) // by id may be allowed
			return
		}
		told = 0
		for i := range page.StackSummaries {
			if s := summarized(&page.StackSummaries[i]); missing[s.live.ID] && s.live.Status == stacks.DeleteComplete {
				delete(missing, s.live.ID)
				found[s.live.ID] = s
				told++
			}
		}
		if token = page.NextToken; str(token) == "" {
			return
		}
	}
}

// summarized is a stack as ListStacks shows it: without parameters, tags and outputs.
func summarized(s *types.StackSummary) seen {
	out := seen{brief: true, live: stacks.Live{
		ID: str(s.StackId), Name: str(s.StackName), Status: stacks.Status(s.StackStatus),
		Reason: strings.TrimSpace(str(s.StackStatusReason)), Created: when(s.CreationTime), Updated: when(s.LastUpdatedTime),
	}}
	out.live.Region, out.live.Account = placeOf(out.live.ID)
	return out
}
