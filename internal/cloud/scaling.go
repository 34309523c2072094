package cloud

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// scalingTries is how often a call to Auto Scaling is made that fails for a
// reason that may pass. Both calls may be repeated freely.
const scalingTries = 4

// Scale suspends or resumes a process of an Auto Scaling group of the stack.
// Of Auto Scaling nothing else is needed, so that the two calls are made
// without its client.
func (w *Writer) Scale(ctx context.Context, group, process string, suspend bool) error {
	action := "ResumeProcesses"
	if suspend {
		action = "SuspendProcesses"
	}
	if err := w.permitChange(ctx); err != nil {
		return err
	}
	cfg, err := w.cloud.opts.Config(ctx, w.target.Access)
	if err != nil {
		return err
	}
	form := url.Values{
		"Action": {action}, "Version": {"2011-01-01"},
		"AutoScalingGroupName": {group}, "ScalingProcesses.member.1": {process},
	}
	for try := 1; ; try++ {
		status, _, err := queryService{"autoscaling", "AutoScaling"}.send(ctx, cfg, form.Encode())
		if err == nil || try == scalingTries || (status != 0 && status < http.StatusInternalServerError && !throttled(err)) {
			return explain(ctx, err, awsconf.Call{Service: "AutoScaling", Operation: action, Access: w.target.Access, Write: true})
		}
		if err := flow.Pause(ctx, time.Duration(try*try)*300*time.Millisecond); err != nil {
			return err
		}
	}
}

// permitChange asks the clearance whether the stack may be changed at all in
// this run: what is done to a group of its own goes with that.
func (w *Writer) permitChange(ctx context.Context) error {
	account, err := w.cloud.Account(ctx, w.target.Access)
	if err != nil {
		return err
	}
	call := guard.Call{
		Path: w.target.Path, Name: w.target.Name, StackID: w.target.StackID, Account: account,
		Region: w.target.Access.Region, Endpoint: w.cloud.opts.Endpoint, Run: w.cloud.opts.Run, At: w.cloud.opts.Now(),
	}
	for _, call.Verb = range []stacks.Verb{stacks.Update, stacks.Create, stacks.Delete} {
		if err = w.clearance.Permits(call); err == nil {
			return nil
		}
	}
	return err
}

func throttled(err error) bool {
	e, ok := err.(*stacks.ServiceError) //nolint:errorlint // refusalOf's own
	return ok && strings.Contains(e.Code, "Throttl")
}
