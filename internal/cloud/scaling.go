package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

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
		status, err := send(ctx, cfg, form.Encode())
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

// send makes one signed call. status is 0 where there was no answer.
func send(ctx context.Context, cfg aws.Config, form string) (status int, err error) {
	endpoint := "https://autoscaling." + cfg.Region + ".amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		endpoint += ".cn"
	}
	if cfg.BaseEndpoint != nil {
		endpoint = *cfg.BaseEndpoint
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(endpoint, "/")+"/", strings.NewReader(form))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256([]byte(form))
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "autoscaling", cfg.Region, time.Now()); err != nil {
		return 0, err
	}
	resp, err := cfg.HTTPClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp.StatusCode, err
	}
	return resp.StatusCode, refusalOf(resp.StatusCode, form, body)
}

// refusalOf reads an error answer.
func refusalOf(status int, form string, body []byte) error {
	var answer struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	values, _ := url.ParseQuery(form)
	e := &stacks.ServiceError{Service: "AutoScaling", Operation: values.Get("Action")}
	if err := xml.Unmarshal(body, &answer); err != nil || answer.Code == "" {
		e.Code, e.Message = fmt.Sprintf("HTTP%d", status), http.StatusText(status)
		return e
	}
	e.Code, e.Message = answer.Code, answer.Message
	return e
}

func throttled(err error) bool {
	e, ok := err.(*stacks.ServiceError) //nolint:errorlint // refusalOf's own
	return ok && strings.Contains(e.Code, "Throttl")
}
