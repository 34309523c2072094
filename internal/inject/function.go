package inject

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/deployer-cli/deployer/stacks"
)

const serviceLambda = "Lambda"

// functionBefore is how a function was.
type functionBefore struct {
	Reserved *int32 `json:"reserved_concurrency"` // null for none
}

func (i *Injector) reserved(ctx context.Context, in stacks.Injection) (*int32, error) {
	out, err := ask(ctx, i, query{serviceLambda, "GetFunctionConcurrency", in.Access}, func(cfg aws.Config) (*lambda.GetFunctionConcurrencyOutput, error) {
		return newLambda(cfg).GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &in.PhysicalID})
	})
	if err != nil {
		return nil, err
	}
	return out.ReservedConcurrentExecutions, nil
}

func (i *Injector) captureFunction(ctx context.Context, in stacks.Injection) (any, error) {
	n, err := i.reserved(ctx, in)
	if err != nil {
		return nil, err
	}
	if n != nil && *n == 0 {
		return nil, unsuitable(in, "its concurrency is zero already")
	}
	return functionBefore{n}, nil
}

func (i *Injector) checkFunction(ctx context.Context, in stacks.Injection) (stacks.Condition, error) {
	if _, err := before[functionBefore](in); err != nil {
		return "", err
	}
	n, err := i.reserved(ctx, in)
	switch {
	case gone(err):
		return stacks.Broken, nil
	case err != nil:
		return "", err
	case throttled(n):
		return stacks.Broken, nil
	}
	return stacks.Whole, nil // with what it had, or with what somebody gave it since
}

// throttled tells whether a function is as the break leaves it.
func throttled(n *int32) bool { return n != nil && *n == 0 }

// changedFunction tells what somebody gave a function since.
func (i *Injector) changedFunction(ctx context.Context, in stacks.Injection) ([]Change, error) {
	was, err := before[functionBefore](in)
	if err != nil {
		return nil, err
	}
	n, err := i.reserved(ctx, in)
	if gone(err) || err == nil && (throttled(n) || concurrency(n) == concurrency(was.Reserved)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []Change{{What: "reserved concurrency", Was: concurrency(was.Reserved), Is: concurrency(n)}}, nil
}

// concurrency is a function's reserved concurrency in words.
func concurrency(n *int32) string {
	if n == nil {
		return "none"
	}
	return strconv.Itoa(int(*n))
}

func (w *Writer) throttleFunction(ctx context.Context, in stacks.Injection) error {
	return w.do(ctx, write{stacks.Inject, serviceLambda, "PutFunctionConcurrency", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newLambda(cfg).PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &in.PhysicalID, ReservedConcurrentExecutions: aws.Int32(0),
		})
		return err
	}})
}

// releaseFunction gives a function the concurrency back that it had, if it is
// still without any.
func (w *Writer) releaseFunction(ctx context.Context, in stacks.Injection) error {
	was, err := before[functionBefore](in)
	if err != nil {
		return err
	}
	if n, err := w.injector.reserved(ctx, in); err != nil || !throttled(n) {
		return err // what it has now somebody gave it
	}
	if was.Reserved != nil {
		return w.do(ctx, write{stacks.Restore, serviceLambda, "PutFunctionConcurrency", in, func(ctx context.Context, cfg aws.Config) error {
			_, err := newLambda(cfg).PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
				FunctionName: &in.PhysicalID, ReservedConcurrentExecutions: was.Reserved,
			})
			return err
		}})
	}
	return w.do(ctx, write{stacks.Restore, serviceLambda, "DeleteFunctionConcurrency", in, func(ctx context.Context, cfg aws.Config) error {
		_, err := newLambda(cfg).DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &in.PhysicalID})
		return err
	}})
}

func newLambda(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg) }
