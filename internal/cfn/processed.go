package cfn

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/stacks"
)

// Processed returns the template of a stack as CloudFormation runs it, after all
// macros and transforms.
func (c *Cloud) Processed(ctx context.Context, a stacks.Access, id string) ([]byte, error) {
	out, err := read(ctx, c, query{a, "GetTemplate", id}, func(cl *cloudformation.Client) (*cloudformation.GetTemplateOutput, error) {
		return cl.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &id, TemplateStage: types.TemplateStageProcessed})
	})
	if err != nil {
		return nil, err
	}
	return []byte(str(out.TemplateBody)), nil
}
