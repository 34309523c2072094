package sandbox_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

func TestS3PartsCopiesAndOldListings(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx, c, b := t.Context(), d.s3(), new("bucket-1")
		must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}))
		id := must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: b, Key: new("big"), ContentType: new("text/plain")})).UploadId
		var parts []types.CompletedPart
		for i, text := range []string{"one ", "two ", "three"} {
			n := int32(i + 1)
			out := must[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: b, Key: new("big"), UploadId: id, PartNumber: &n, Body: strings.NewReader(text)}))
			parts = append(parts, types.CompletedPart{PartNumber: &n, ETag: out.ETag})
		}
		wrong := &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: new(int32(9)), ETag: new("x")}}}
		_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: new("big"), UploadId: id, MultipartUpload: wrong})
		wantCode(t, err, "InvalidPart")
		must[*s3.CompleteMultipartUploadOutput](t)(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: b, Key: new("big"), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}))
		_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: b, Key: new("big"), UploadId: id})
		wantCode(t, err, "NoSuchUpload")
		must[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: new("dir/copy"), CopySource: new("bucket-1/big")}))
		_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: new("x"), CopySource: new("bucket-1/none")})
		wantCode(t, err, "NoSuchKey")
		got := must[*s3.GetObjectOutput](t)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: b, Key: new("dir/copy")}))
		body := must[[]byte](t)(io.ReadAll(got.Body))
		if !bytes.Equal(body, []byte("one two three")) || *got.ContentType != "text/plain" {
			t.Errorf("%q %s", body, *got.ContentType)
		}
		first := must[*s3.ListObjectsOutput](t)(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b, Delimiter: new("/"), MaxKeys: new(int32(1))}))
		second := must[*s3.ListObjectsOutput](t)(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: b, Delimiter: new("/"), Marker: first.NextMarker}))
		if !*first.IsTruncated || *first.Contents[0].Key != "big" || *second.CommonPrefixes[0].Prefix != "dir/" || *second.IsTruncated {
			t.Errorf("%+v\n%+v", first, second)
		}
	})
}
