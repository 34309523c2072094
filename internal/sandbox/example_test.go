package sandbox_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

func ExampleServer_Client() {
	ctx := context.Background()
	s := sandbox.New(sandbox.Options{Store: store.NewMemory()})
	client := cloudformation.New(cloudformation.Options{
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "thing", ""),
		HTTPClient:   s.Client(),
		BaseEndpoint: new(sandbox.Endpoint),
	})
	_, err := client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName:    new("queue"),
		TemplateBody: new(`{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := s.Advance(ctx, 10*time.Minute); err != nil {
		fmt.Println(err)
		return
	}
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: new("queue")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Stacks[0].StackStatus)
	// Output: CREATE_COMPLETE
}
