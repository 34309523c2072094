package sandbox_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

func ssmType(kind string) ssmtypes.ParameterType { return ssmtypes.ParameterType(kind) }

func makeBucket(t *testing.T, d door, name string) {
	t.Helper()
	must[*s3.CreateBucketOutput](t)(d.s3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(d.region)},
	}))
}

func put(t *testing.T, d door, bucket, key, body string) *s3.PutObjectOutput {
	t.Helper()
	return must[*s3.PutObjectOutput](t)(d.s3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}))
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx := t.Context()
		_, err := d.s3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: new("templates")})
		wantCode(t, err, "NotFound")
		_, err = d.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("templates")})
		wantCode(t, err, "IllegalLocationConstraintException")
		_, err = d.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("No_Such_Name")})
		wantCode(t, err, "InvalidBucketName")
		makeBucket(t, d, "templates")
		head := must[*s3.HeadBucketOutput](t)(d.s3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: new("templates")}))
		where := must[*s3.GetBucketLocationOutput](t)(d.s3().GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: new("templates")}))
		if *head.BucketRegion != "eu-west-1" || where.LocationConstraint != "eu-west-1" {
			t.Errorf("%v %v", *head.BucketRegion, where.LocationConstraint)
		}
		_, err = d.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("templates"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
		wantCode(t, err, "BucketAlreadyOwnedByYou")
		versions := func() *s3.ListObjectVersionsOutput {
			t.Helper()
			return must[*s3.ListObjectVersionsOutput](t)(d.s3().ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: new("templates"), MaxKeys: new(int32(1))}))
		}
		if out := versions(); len(out.Versions) > 0 || *out.IsTruncated {
			t.Errorf("%+v", out)
		}
		put(t, d, "templates", "k", "v")
		put(t, d, "templates", "l", "v")
		if out := versions(); len(out.Versions) != 1 || *out.Versions[0].Key != "k" || *out.Versions[0].VersionId != "null" || !*out.IsTruncated || *out.NextKeyMarker != "k" {
			t.Errorf("%+v", out)
		}
		_, err = d.s3().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: new("templates")})
		wantCode(t, err, "BucketNotEmpty")
		list := must[*s3.ListBucketsOutput](t)(d.s3().ListBuckets(ctx, nil))
		if len(list.Buckets) != 1 || *list.Buckets[0].Name != "templates" {
			t.Errorf("%+v", list.Buckets)
		}
		d.key = "999999999999"
		_, err = d.s3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("templates"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
		wantCode(t, err, "BucketAlreadyExists")
	})
}

func TestObjects(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx := t.Context()
		makeBucket(t, d, "b-1")
		key := "a dir/ü+&?#%.yaml"
		made := must[*s3.PutObjectOutput](t)(d.s3().PutObject(ctx, &s3.PutObjectInput{
			Bucket: new("b-1"), Key: &key, Body: strings.NewReader("hello world"), ContentType: new("text/x"), Metadata: map[string]string{"who": "me"},
		}))
		if *made.ETag != `"5eb63bbbe01eeed093cb22bb8f5acdc3"` {
			t.Errorf("etag %s", *made.ETag)
		}
		get := func(in s3.GetObjectInput) (string, *s3.GetObjectOutput) {
			t.Helper()
			in.Bucket, in.Key = new("b-1"), &key
			out := must[*s3.GetObjectOutput](t)(d.s3().GetObject(ctx, &in))
			body := must[[]byte](t)(io.ReadAll(out.Body))
			return string(body), out
		}
		body, out := get(s3.GetObjectInput{ChecksumMode: types.ChecksumModeEnabled})
		if body != "hello world" || *out.ContentType != "text/x" || out.Metadata["who"] != "me" || out.LastModified == nil || out.ChecksumCRC32 == nil {
			t.Errorf("%q %+v", body, out)
		}
		for header, want := range map[string]string{"bytes=0-4": "hello", "bytes=6-": "world", "bytes=-3": "rld", "bytes=6-99": "world", "lines=1-2": "hello world"} {
			if body, _ := get(s3.GetObjectInput{Range: &header}); body != want {
				t.Errorf("%s: %q", header, body)
			}
		}
		head := must[*s3.HeadObjectOutput](t)(d.s3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: new("b-1"), Key: &key}))
		if *head.ContentLength != 11 {
			t.Errorf("head: %d bytes", *head.ContentLength)
		}
		_, err := d.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: new("b-1"), Key: new("none")})
		wantCode(t, err, "NoSuchKey")
		_, err = d.s3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: new("b-1"), Key: new("none")})
		wantCode(t, err, "NotFound")
		_, err = d.s3().GetObject(ctx, &s3.GetObjectInput{Bucket: new("b-2"), Key: &key})
		wantCode(t, err, "NoSuchBucket")
		must[*s3.DeleteObjectOutput](t)(d.s3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: new("b-1"), Key: &key}))
		must[*s3.DeleteObjectOutput](t)(d.s3().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: new("b-1"), Key: &key}))
		empty := put(t, d, "b-1", "empty", "")
		if *empty.ETag != `"d41d8cd98f00b204e9800998ecf8427e"` {
			t.Errorf("empty: %s", *empty.ETag)
		}
	})
}

func TestConditionalPuts(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		makeBucket(t, d, "locks")
		try := func(none, match *string) error {
			_, err := d.s3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("locks"), Key: new("k"), Body: strings.NewReader("v"), IfNoneMatch: none, IfMatch: match})
			return err
		}
		wantCode(t, try(nil, new(`"00"`)), "NoSuchKey")
		if err := try(new("*"), nil); err != nil {
			t.Fatal(err)
		}
		wantCode(t, try(new("*"), nil), "PreconditionFailed")
		wantCode(t, try(nil, new(`"00"`)), "PreconditionFailed")
		tag := put(t, d, "locks", "k", "w").ETag
		if err := try(nil, tag); err != nil {
			t.Error(err)
		}
		wantCode(t, try(nil, tag), "PreconditionFailed")
	})
}

func TestListObjects(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		makeBucket(t, d, "list")
		for _, key := range []string{"a/1", "a/2", "a/x/3", "b+c", "b/1", "z"} {
			put(t, d, "list", key, key)
		}
		for _, c := range []struct {
			in   s3.ListObjectsV2Input
			want string
		}{
			{s3.ListObjectsV2Input{}, "a/1 a/2 a/x/3 b+c b/1 z"},
			{s3.ListObjectsV2Input{Prefix: new("a/")}, "a/1 a/2 a/x/3"},
			{s3.ListObjectsV2Input{Delimiter: new("/")}, "[a/] b+c [b/] z"},
			{s3.ListObjectsV2Input{Delimiter: new("/"), Prefix: new("a/")}, "a/1 a/2 [a/x/]"},
			{s3.ListObjectsV2Input{StartAfter: new("a/2")}, "a/x/3 b+c b/1 z"},
			{s3.ListObjectsV2Input{Delimiter: new("none")}, "a/1 a/2 a/x/3 b+c b/1 z"},
			{s3.ListObjectsV2Input{Prefix: new("none")}, ""},
		} {
			for _, size := range []int32{1, 2, 1000} {
				in := c.in
				in.Bucket, in.MaxKeys = new("list"), &size
				if got := listed(t, d, in); got != c.want {
					t.Errorf("%v/%v pages of %d: %s, want %s", in.Prefix, in.Delimiter, size, got, c.want)
				}
			}
		}
		must[*s3.DeleteObjectsOutput](t)(d.s3().DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: new("list"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: new("a/1")}, {Key: new("b+c")}}}}))
		if got := listed(t, d, s3.ListObjectsV2Input{Bucket: new("list")}); got != "a/2 a/x/3 b/1 z" {
			t.Errorf("after deleting: %s", got)
		}
	})
}

// listed reads every page, prefixes in brackets and in order with the keys.
func listed(t *testing.T, d door, in s3.ListObjectsV2Input) string {
	t.Helper()
	var out []string
	pages := s3.NewListObjectsV2Paginator(d.s3(), &in)
	for n := 0; pages.HasMorePages(); n++ {
		if n > 20 {
			t.Fatal("the pages do not end")
		}
		page := must[*s3.ListObjectsV2Output](t)(pages.NextPage(t.Context()))
		i, j := 0, 0
		for i < len(page.Contents) || j < len(page.CommonPrefixes) {
			if j == len(page.CommonPrefixes) || i < len(page.Contents) && *page.Contents[i].Key < *page.CommonPrefixes[j].Prefix {
				out = append(out, *page.Contents[i].Key)
				i++
			} else {
				out = append(out, "["+*page.CommonPrefixes[j].Prefix+"]")
				j++
			}
		}
	}
	return strings.Join(out, " ")
}

func TestS3Addresses(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{Hosts: []string{"box.test"}})
	makeBucket(t, d, "my.bucket")
	put(t, d, "my.bucket", "dir/key", "found")
	for _, url := range []string{
		"https://s3.amazonaws.com/my.bucket/dir/key",
		"https://s3.eu-west-1.amazonaws.com/my.bucket/dir/key",
		"https://s3-eu-west-1.amazonaws.com/my.bucket/dir/key",
		"https://my.bucket.s3.amazonaws.com/dir/key",
		"https://my.bucket.s3.eu-west-1.amazonaws.com/dir/key",
		"https://my.bucket.s3-eu-west-1.amazonaws.com/dir/key",
		"https://my.bucket.s3.dualstack.eu-west-1.amazonaws.com/dir/key",
		"http://127.0.0.1:4566/my.bucket/dir/key",
		"http://[::1]:4566/my.bucket/dir/key",
		"http://localhost:4566/my.bucket/dir/key",
		"http://my.bucket.localhost:4566/dir/key",
		"http://my.bucket.s3.localhost:4566/dir/key",
		"http://s3.localhost:4566/my.bucket/dir/key",
		"http://my.bucket.sandbox.invalid/dir/key",
		"http://my.bucket.box.test/dir/key",
	} {
		if res, body := send(t, d.s, request{method: http.MethodGet, target: url}); body != "found" {
			t.Errorf("%s: %d %s", url, res.StatusCode, body)
		}
	}
}

func TestUnseekableBody(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	d.url = "https://sandbox.invalid" // trailing checksums are sent over TLS only
	makeBucket(t, d, "b-1")
	body := bytes.Repeat([]byte("0123456789"), 20_000)
	must[*s3.PutObjectOutput](t)(d.s3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("b-1"), Key: new("k"), Body: io.MultiReader(bytes.NewReader(body)), ContentLength: new(int64(len(body)))}))
	out := must[*s3.GetObjectOutput](t)(d.s3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: new("b-1"), Key: new("k")}))
	if got := must[[]byte](t)(io.ReadAll(out.Body)); !bytes.Equal(got, body) {
		t.Errorf("%d bytes came back as %d", len(body), len(got))
	}
}
