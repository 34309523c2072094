package sandbox

import (
	"crypto/md5" //nolint:gosec // S3's ETag is an MD5
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

// upload is an object that comes in parts.
type upload struct {
	Bucket string              `json:"bucket"`
	Key    string              `json:"key"`
	Header map[string][]string `json:"header,omitempty"`
}

type part struct {
	ETag string `json:"etag"`
	Body []byte `json:"body"`
}

func partKey(id string, number int) string { return fmt.Sprintf("%s\x00%05d", id, number) }

func (r s3Call) beginUpload() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	n, err := nextNumber(r.tx, tableUpload)
	if err != nil {
		return nil, err
	}
	id := strings.ReplaceAll(r.s.id("upload", r.bucket, r.key, strconv.Itoa(n)), "-", "")
	if err := putJSON(r.tx, tableUpload, id, upload{r.bucket, r.key, keptHeader(r.r.Header)}); err != nil {
		return nil, err
	}
	return r.xml("InitiateMultipartUploadResult", struct{ Bucket, Key, UploadId string }{r.bucket, r.key, id})
}

// upload finds the upload that a request goes on with.
func (r s3Call) upload() (id string, u upload, err error) {
	id = r.r.URL.Query().Get("uploadId")
	found, err := getJSON(r.tx, tableUpload, id, &u)
	if err == nil && (!found || u.Bucket != r.bucket || u.Key != r.key) {
		err = fault(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	}
	return id, u, err
}

func (r s3Call) uploadPart() (*answer, error) {
	id, _, err := r.upload()
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(r.r.URL.Query().Get("partNumber"))
	if err != nil || number < 1 || number > 10000 {
		return nil, invalid("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	body, err := r.payload()
	if err != nil {
		return nil, err
	}
	sum := md5.Sum(body) //nolint:gosec // S3's ETag is an MD5
	p := part{ETag: `"` + hex.EncodeToString(sum[:]) + `"`, Body: body}
	return r.answer(http.StatusOK, http.Header{"Etag": {p.ETag}}, nil), putJSON(r.tx, tableUpload, partKey(id, number), p)
}

func (r s3Call) endUpload() (*answer, error) {
	id, u, err := r.upload()
	if err != nil {
		return nil, err
	}
	var in struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(r.body, &in); err != nil || len(in.Part) == 0 {
		return nil, malformedXML()
	}
	var body []byte
	last := 0
	for _, want := range in.Part {
		var p part
		found, err := getJSON(r.tx, tableUpload, partKey(id, want.PartNumber), &p)
		switch {
		case err != nil:
			return nil, err
		case !found || !sameTag(want.ETag, p.ETag):
			return nil, invalid("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		case want.PartNumber <= last:
			return nil, invalid("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
		last, body = want.PartNumber, append(body, p.Body...)
	}
	if len(body) > maxBody {
		return nil, invalid("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	old, found, err := r.object()
	if err != nil {
		return nil, err
	}
	if err := r.mayReplace(old, found); err != nil {
		return nil, err
	}
	o, err := storeObject(r.tx, r.bucket, r.key, body, r.at, u.Header)
	if err != nil {
		return nil, err
	}
	if err := r.forgetUpload(id); err != nil {
		return nil, err
	}
	return r.xml("CompleteMultipartUploadResult", struct{ Location, Bucket, Key, ETag string }{"/" + r.bucket + "/" + r.key, r.bucket, r.key, o.ETag})
}

func (r s3Call) abortUpload() (*answer, error) {
	id, _, err := r.upload()
	if err != nil {
		return nil, err
	}
	return r.answer(http.StatusNoContent, nil, nil), r.forgetUpload(id)
}

func (r s3Call) forgetUpload(id string) error {
	var failed error
	err := r.tx.Scan(tableUpload, id, "", func(key string, _ []byte) bool {
		failed = r.tx.Delete(tableUpload, key)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// payload is the body of a put without the frame that streaming clients give it.
func (r s3Call) payload() ([]byte, error) {
	if !strings.Contains(r.r.Header.Get("Content-Encoding"), "aws-chunked") && !strings.HasPrefix(r.r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return r.body, nil
	}
	body, err := wire.DecodeChunked(r.body, maxBody)
	if err != nil {
		return nil, invalid("IncompleteBody", "%v", err)
	}
	return body, nil
}

// copyObject copies an object within the sandbox.
func (r s3Call) copyObject() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	source, err := url.PathUnescape(r.r.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		return nil, invalid("InvalidArgument", "Invalid copy source encoding")
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if !ok || key == "" {
		return nil, invalid("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	from := r
	from.bucket, from.key = bucket, key
	if _, err := from.owned(); err != nil {
		return nil, err
	}
	o, found, err := from.object()
	if err == nil && !found {
		err = r.noSuchKey()
	}
	if err != nil {
		return nil, err
	}
	body, _, err := r.tx.Get(tableBody, objectKey(bucket, key))
	if err != nil {
		return nil, err
	}
	header := o.Header
	if r.r.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" {
		header = keptHeader(r.r.Header)
	}
	made, err := storeObject(r.tx, r.bucket, r.key, body, r.at, header)
	if err != nil {
		return nil, err
	}
	return r.xml("CopyObjectResult", struct {
		ETag         string
		LastModified time.Time
	}{made.ETag, made.At})
}

// listObjectsV1 lists as old clients ask for it.
func (r s3Call) listObjectsV1() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	q := r.r.URL.Query()
	page := listResult{Name: r.bucket, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), ContinuationToken: q.Get("marker"), EncodingType: q.Get("encoding-type"), MaxKeys: 1000}
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil && n >= 0 {
		page.MaxKeys = min(n, page.MaxKeys)
	}
	if err := r.fill(&page); err != nil {
		return nil, err
	}
	if page.EncodingType == "url" {
		page.encode()
	}
	return r.xml("ListBucketResult", struct {
		Name, Prefix, Marker, NextMarker, Delimiter, EncodingType string
		MaxKeys                                                   int
		IsTruncated                                               bool
		Contents                                                  []listedObject `wire:"flat"`
		CommonPrefixes                                            []commonPrefix `wire:"flat"`
	}{
		page.Name, page.Prefix, page.ContinuationToken, page.NextContinuationToken, page.Delimiter, page.EncodingType, page.MaxKeys,
		page.IsTruncated, page.Contents, page.CommonPrefixes,
	})
}
