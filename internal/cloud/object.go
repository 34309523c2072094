package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/stacks"
)

// maxObject bounds what is fetched: a template has a megabyte at most, a
// project's other files little more.
const maxObject = 64 << 20

// Fetch returns an object of a bucket, whatever region it is in.
func (c *Cloud) Fetch(ctx context.Context, a stacks.Access, bucket, key string) ([]byte, error) {
	var body []byte
	err := c.inBucket(ctx, a, bucket, awsconf.Call{Service: "S3", Operation: "GetObject", Access: a}, func(cl *s3.Client) error {
		out, err := cl.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err != nil {
			return err
		}
		defer func() { _ = out.Body.Close() }()
		body, err = io.ReadAll(io.LimitReader(out.Body, maxObject+1))
		if err == nil && len(body) > maxObject {
			err = &stacks.ServiceError{Service: "S3", Operation: "GetObject", Code: "EntityTooLarge", Message: fmt.Sprintf("%s/%s is too large: more than %d MiB", bucket, key, maxObject>>20)}
		}
		return err
	})
	return body, missing(err, "NoSuchKey", fmt.Sprintf("there is no object %s in bucket %s", key, bucket))
}

// Writer uploads for one stack, as far as its clearance goes.
type Writer struct {
	cloud     *Cloud
	clearance guard.Clearance
	target    stacks.Target
}

// Writer returns what uploads for t within the clearance.
func (c *Cloud) Writer(clearance guard.Clearance, t stacks.Target) *Writer {
	return &Writer{cloud: c, clearance: clearance, target: t}
}

// Upload puts body under key and returns the address for CloudFormation. The
// key has to be made from the content: an object that is there already is left
// as it is.
func (w *Writer) Upload(ctx context.Context, bucket, key string, body []byte) (string, error) {
	var region string
	err := w.cloud.inBucket(ctx, w.target.Access, bucket, awsconf.Call{Service: "S3", Operation: "PutObject", Access: w.target.Access, Write: true}, func(cl *s3.Client) error {
		if err := w.permit(ctx); err != nil {
			return err
		}
		region = cl.Options().Region
		return put(ctx, cl, &s3.PutObjectInput{Bucket: &bucket, Key: &key, IfNoneMatch: new("*")}, body)
	})
	if err != nil {
		return "", missing(err, "NoSuchBucket", fmt.Sprintf("there is no bucket %s", bucket))
	}
	return address(region, bucket, key), nil
}

// permit asks the clearance, right before the call.
func (w *Writer) permit(ctx context.Context) error {
	account, err := w.cloud.Account(ctx, w.target.Access)
	if err != nil {
		return err
	}
	cfg, err := w.cloud.opts.Config(ctx, w.target.Access)
	if err != nil {
		return err
	}
	return w.clearance.Permits(guard.Call{
		Verb: stacks.Upload, Path: w.target.Path, Name: w.target.Name, StackID: w.target.StackID,
		Account: account, Region: cfg.Region, Endpoint: w.cloud.opts.Endpoint,
		Run: w.cloud.opts.Run, At: w.cloud.opts.Now(),
	})
}

// conflicts is how often a conditional put is repeated that met another one.
const conflicts = 5

// put writes an object once. That it is there, or is being put there, is as
// good.
func put(ctx context.Context, cl *s3.Client, in *s3.PutObjectInput, body []byte) error {
	for try := 1; ; try++ {
		in.Body = bytes.NewReader(body)
		_, err := cl.PutObject(ctx, in)
		switch code := codeOf(err); {
		case code == "PreconditionFailed":
			return nil
		case code == "ConditionalRequestConflict" && try < conflicts:
			if err := flow.Pause(ctx, time.Duration(try)*200*time.Millisecond); err != nil {
				return err
			}
		case code == "NotImplemented" && in.IfNoneMatch != nil: // an S3 that is not AWS's
			in.IfNoneMatch = nil
		default:
			return err
		}
	}
}

func codeOf(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// inBucket does something with a bucket, in the bucket's own region: S3 says
// where it is when it is not here.
func (c *Cloud) inBucket(ctx context.Context, a stacks.Access, bucket string, call awsconf.Call, do func(*s3.Client) error) error {
	cfg, err := c.opts.Config(ctx, a)
	if err != nil {
		return err
	}
	region := c.regionOf(bucket, cfg.Region)
	err = do(c.client(cfg, region))
	if elsewhere := regionIn(err); elsewhere != "" && elsewhere != region {
		c.remember(bucket, elsewhere)
		err = do(c.client(cfg, elsewhere))
	}
	if _, ok := errors.AsType[*guard.Refusal](err); ok {
		return err
	}
	return explain(ctx, err, call)
}

func (c *Cloud) client(cfg aws.Config, region string) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.Region = region
		o.UsePathStyle = cfg.BaseEndpoint != nil // the names of buckets do not resolve there
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
}

// regionIn reads out of an error where the bucket really is.
func regionIn(err error) string {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && r.Response != nil {
		switch r.HTTPStatusCode() {
		case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest:
			return r.Response.Header.Get("X-Amz-Bucket-Region")
		}
	}
	return ""
}

func (c *Cloud) regionOf(bucket, ours string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.regions[bucket]; ok {
		return r
	}
	return ours
}

func (c *Cloud) remember(bucket, region string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.regions[bucket] = region
}

// address is where CloudFormation fetches an object. It takes S3's own names
// only, from every realm.
func address(region, bucket, key string) string {
	host := "s3." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	if strings.Contains(bucket, ".") { // would not match S3's certificate
		return "https://" + host + "/" + bucket + "/" + key
	}
	return "https://" + bucket + "." + host + "/" + key
}
