package cloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/deployer-cli/deployer/internal/awsconf"
	"github.com/deployer-cli/deployer/internal/flow"
	"github.com/deployer-cli/deployer/stacks"
)

// Bucket keeps small objects below a prefix: deployer's own records, such as
// locks and approvals. It reaches nothing else, and never a stack, so that it
// writes without a clearance; a lock has to be taken before there is one.
type Bucket struct {
	cloud  *Cloud
	access stacks.Access
	bucket string
	prefix string // "" or ending in a slash
}

// maxRecord bounds what is read back: records are a few kilobytes.
const maxRecord = 4 << 20

// BucketFilled tells whether anything is in a bucket that S3 would not delete it
// with: an object, an older version of one, or a delete marker.
func (c *Cloud) BucketFilled(ctx context.Context, a stacks.Access, bucket string) (bool, error) {
	filled := false
	call := awsconf.Call{Service: "S3", Operation: "ListObjectVersions", Access: a}
	err := c.inBucket(ctx, a, bucket, call, func(cl *s3.Client) error {
		out, err := cl.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket, MaxKeys: new(int32(1))})
		if err == nil {
			filled = len(out.Versions)+len(out.DeleteMarkers) > 0 || out.IsTruncated != nil && *out.IsTruncated
		}
		return err
	})
	return filled, missing(err, "NoSuchBucket", fmt.Sprintf("there is no bucket %s", bucket))
}

// Bucket returns what keeps records in a bucket, below prefix.
func (c *Cloud) Bucket(a stacks.Access, bucket, prefix string) *Bucket {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &Bucket{cloud: c, access: a, bucket: bucket, prefix: prefix}
}

// Place names where the objects are.
func (b *Bucket) Place() string { return "s3://" + path.Join(b.bucket, b.prefix) }

func (b *Bucket) do(ctx context.Context, operation string, write bool, fn func(*s3.Client) error) error {
	call := awsconf.Call{Service: "S3", Operation: operation, Access: b.access, Write: write}
	err := b.cloud.inBucket(ctx, b.access, b.bucket, call, fn)
	return missing(err, "NoSuchBucket", fmt.Sprintf("there is no bucket %s", b.bucket))
}

// Object returns an object, its tag, and how long ago it was written by the
// service's own clock. One that does not exist has the code NoSuchKey.
func (b *Bucket) Object(ctx context.Context, key string) (body []byte, tag string, age time.Duration, err error) {
	name := b.prefix + key
	err = b.do(ctx, "GetObject", false, func(cl *s3.Client) error {
		out, err := cl.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &name})
		if err != nil {
			return err
		}
		defer func() { _ = out.Body.Close() }()
		if body, err = io.ReadAll(io.LimitReader(out.Body, maxRecord)); err != nil {
			return err
		}
		tag = value(out.ETag)
		if now, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok && out.LastModified != nil {
			age = now.Sub(*out.LastModified)
		}
		return nil
	})
	return body, tag, age, err
}

// PutObject writes an object if what is there still has the given tag; with no
// tag, if nothing is there. What stands against it has the code
// PreconditionFailed, or NoSuchKey when it is gone.
func (b *Bucket) PutObject(ctx context.Context, key string, body []byte, tag string) (string, error) {
	name, made := b.prefix+key, ""
	err := b.do(ctx, "PutObject", true, func(cl *s3.Client) error {
		in := &s3.PutObjectInput{Bucket: &b.bucket, Key: &name, ContentType: new("application/json")}
		if tag == "" {
			in.IfNoneMatch = new("*")
		} else {
			in.IfMatch = &tag
		}
		for try := 1; ; try++ {
			in.Body = bytes.NewReader(body)
			out, err := cl.PutObject(ctx, in)
			if err == nil {
				made = value(out.ETag)
				return nil
			}
			if codeOf(err) != "ConditionalRequestConflict" || try == conflicts {
				return err
			}
			if err := flow.Pause(ctx, time.Duration(try)*200*time.Millisecond); err != nil {
				return err
			}
		}
	})
	return made, err
}

// Objects lists the keys that begin with prefix, sorted.
func (b *Bucket) Objects(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	full := b.prefix + prefix
	err := b.do(ctx, "ListObjectsV2", false, func(cl *s3.Client) error {
		keys = nil
		pages := s3.NewListObjectsV2Paginator(cl, &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: &full})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range page.Contents {
				keys = append(keys, strings.TrimPrefix(value(o.Key), b.prefix))
			}
		}
		return nil
	})
	return keys, err
}

// DeleteObject removes an object; one that is not there is no error.
func (b *Bucket) DeleteObject(ctx context.Context, key string) error {
	name := b.prefix + key
	return b.do(ctx, "DeleteObject", true, func(cl *s3.Client) error {
		_, err := cl.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.bucket, Key: &name})
		return err
	})
}
