package sandbox

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// planS3 finds the operation of a REST request by method, place and query.
func (s *Server) planS3(c *call) func(tx store.Tx) (*answer, error) {
	bucket, key := s.locate(hostOf(c.r), c.r.URL.Path)
	name, mutates, run := s3Operation(c.r.Method, bucket, key, c.r.URL.Query(), c.r.Header)
	c.action, c.mutates = name, mutates
	return func(tx store.Tx) (*answer, error) {
		if run == nil {
			return nil, c.absent()
		}
		return run(s3Call{call: c, s: s, tx: tx, bucket: bucket, key: key})
	}
}

type s3Handler func(s3Call) (*answer, error)

func s3Operation(method, bucket, key string, query url.Values, header http.Header) (name string, mutates bool, run s3Handler) {
	sub := subresource(query)
	if header.Get("X-Amz-Copy-Source") != "" {
		sub = "copy"
	}
	where := "object"
	switch {
	case bucket == "":
		where = "service"
	case key == "":
		where = "bucket"
	}
	if method == http.MethodGet && where == "bucket" {
		name, run = bucketRead(sub)
		return name, false, run
	}
	switch strings.TrimSuffix(method+" "+where+" "+sub, " ") {
	case "GET service":
		return "ListBuckets", false, s3Call.listBuckets
	case "PUT bucket":
		return "CreateBucket", true, s3Call.createBucket
	case "HEAD bucket":
		return "HeadBucket", false, s3Call.headBucket
	case "DELETE bucket":
		return "DeleteBucket", true, s3Call.deleteBucket
	case "PUT object copy":
		return "CopyObject", true, s3Call.copyObject
	case "POST object uploads":
		return "CreateMultipartUpload", true, s3Call.beginUpload
	case "PUT object partNumber&uploadId":
		return "UploadPart", true, s3Call.uploadPart
	case "POST object uploadId":
		return "CompleteMultipartUpload", true, s3Call.endUpload
	case "DELETE object uploadId":
		return "AbortMultipartUpload", true, s3Call.abortUpload
	case "POST bucket delete":
		return "DeleteObjects", true, s3Call.deleteObjects
	case "PUT object":
		return "PutObject", true, s3Call.putObject
	case "GET object":
		return "GetObject", false, s3Call.getObject
	case "HEAD object":
		return "HeadObject", false, s3Call.headObject
	case "DELETE object":
		return "DeleteObject", true, s3Call.deleteObject
	}
	return strings.TrimSpace(method + " " + where + " " + sub), false, nil
}

// bucketRead finds what is read of a bucket.
func bucketRead(sub string) (name string, run s3Handler) {
	switch sub {
	case "location":
		return "GetBucketLocation", s3Call.bucketLocation
	case "list-type":
		return "ListObjectsV2", s3Call.listObjects
	case "":
		return "ListObjects", s3Call.listObjectsV1
	case "versions":
		return "ListObjectVersions", s3Call.listVersions
	}
	return "GET bucket " + sub, nil
}

// subresource is the part of the query that chooses an operation.
func subresource(query url.Values) string {
	plain := []string{"x-id", "marker", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "key-marker", "version-id-marker", "encoding-type", "fetch-owner"}
	var subs []string
	for name := range query {
		if !slices.Contains(plain, name) && !strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "response-") {
			subs = append(subs, name)
		}
	}
	slices.Sort(subs)
	return strings.Join(subs, "&")
}

// locate finds bucket and key in host and path. A host is bucket.s3.region.…, one
// of our names with a bucket before it, or nothing but an endpoint.
func (s *Server) locate(host, path string) (bucket, key string) {
	path = strings.TrimPrefix(path, "/")
	if !isAddress(host) {
		if b, ok := s.bucketOfHost(host); ok {
			return b, path
		}
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func (s *Server) bucketOfHost(host string) (string, bool) {
	if strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn") {
		for _, mark := range []string{".s3.", ".s3-"} {
			if i := strings.LastIndex(host, mark); i > 0 {
				return host[:i], true
			}
		}
		return "", false
	}
	for _, name := range s.names() {
		if b, ok := strings.CutSuffix(host, "."+name); ok && b != "s3" {
			return strings.TrimSuffix(b, ".s3"), true
		}
	}
	return "", false
}

// hasS3 tells whether S3 may be behind a host: one of Amazon's, or one of ours.
func (s *Server) hasS3(host string) bool {
	if isAddress(host) || strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn") {
		return true
	}
	return slices.ContainsFunc(s.names(), func(own string) bool { return host == own || strings.HasSuffix(host, "."+own) })
}

// names are the names this server is reached by.
func (s *Server) names() []string {
	return append([]string{"sandbox.invalid", "localhost"}, s.opts.Hosts...)
}

// locationConstraint is the region a bucket shall be made in.
func (r s3Call) locationConstraint() (string, error) {
	var in struct{ LocationConstraint string }
	if len(r.body) > 0 {
		if err := xml.Unmarshal(r.body, &in); err != nil {
			return "", malformedXML()
		}
	}
	switch in.LocationConstraint {
	case "":
		if r.region != "us-east-1" {
			return "", invalid("IllegalLocationConstraintException", "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
		}
		return r.region, nil
	case "EU":
		return "eu-west-1", nil
	}
	return in.LocationConstraint, nil
}

func malformedXML() error {
	return invalid("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

type (
	listedObject struct {
		Key          string
		LastModified time.Time
		ETag         string
		Size         int
		StorageClass string
	}
	commonPrefix struct{ Prefix string }
	listResult   struct {
		Name                  string
		Prefix                string `wire:"always"`
		Delimiter             string
		StartAfter            string
		ContinuationToken     string
		NextContinuationToken string
		KeyCount, MaxKeys     int
		EncodingType          string
		IsTruncated           bool
		Contents              []listedObject `wire:"flat"`
		CommonPrefixes        []commonPrefix `wire:"flat"`
	}
)

func (r s3Call) listObjects() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	q := r.r.URL.Query()
	out := listResult{
		Name: r.bucket, Prefix: q.Get("prefix"), Delimiter: q.Get("delimiter"), StartAfter: q.Get("start-after"),
		ContinuationToken: q.Get("continuation-token"), EncodingType: q.Get("encoding-type"), MaxKeys: 1000,
	}
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil && n >= 0 {
		out.MaxKeys = min(n, 1000)
	}
	if err := r.fill(&out); err != nil {
		return nil, err
	}
	if out.EncodingType == "url" {
		out.encode()
	}
	return r.xml("ListBucketResult", out)
}

// fill reads keys until the page is full. The token of the next page is the last
// thing shown: a key, or a prefix with everything under it.
func (r s3Call) fill(out *listResult) error {
	all := objectKey(r.bucket, "")
	after := max(out.StartAfter, out.ContinuationToken)
	if out.Delimiter != "" && strings.HasSuffix(after, out.Delimiter) && after == out.ContinuationToken {
		after += "\xff\xff\xff\xff" // past what the prefix stands for
	}
	if after != "" {
		after = all + after
	}
	var keys []string
	lastShown := ""
	err := r.tx.Scan(tableObject, all+out.Prefix, after, func(full string, _ []byte) bool {
		key := full[len(all):]
		shown := key
		if i := strings.Index(key[len(out.Prefix):], out.Delimiter); out.Delimiter != "" && i >= 0 {
			shown = key[:len(out.Prefix)+i+len(out.Delimiter)]
			if shown == lastShown {
				return true
			}
		}
		if out.KeyCount == out.MaxKeys {
			out.IsTruncated, out.NextContinuationToken = true, lastShown
			return false
		}
		out.KeyCount++
		lastShown = shown
		if shown != key {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{shown})
		} else {
			keys = append(keys, key)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		var o objectRecord
		if _, err := getJSON(r.tx, tableObject, all+key, &o); err != nil {
			return err
		}
		out.Contents = append(out.Contents, listedObject{key, o.At, o.ETag, o.Size, "STANDARD"})
	}
	return nil
}

// listVersions lists objects as versions: no bucket of the sandbox keeps older ones.
func (r s3Call) listVersions() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	q := r.r.URL.Query()
	page := listResult{Prefix: q.Get("prefix"), StartAfter: q.Get("key-marker"), MaxKeys: 1000}
	if n, err := strconv.Atoi(q.Get("max-keys")); err == nil && n >= 0 {
		page.MaxKeys = min(n, page.MaxKeys)
	}
	if err := r.fill(&page); err != nil {
		return nil, err
	}
	type version struct {
		listedObject
		VersionId string
		IsLatest  bool `wire:"always"`
	}
	out := struct {
		Name, Prefix, KeyMarker, NextKeyMarker, NextVersionIdMarker string
		MaxKeys                                                     int
		IsTruncated                                                 bool      `wire:"always"`
		Version                                                     []version `wire:"flat"`
	}{Name: r.bucket, Prefix: page.Prefix, KeyMarker: page.StartAfter, NextKeyMarker: page.NextContinuationToken, MaxKeys: page.MaxKeys, IsTruncated: page.IsTruncated}
	if out.IsTruncated {
		out.NextVersionIdMarker = "null"
	}
	for _, o := range page.Contents {
		out.Version = append(out.Version, version{o, "null", true})
	}
	return r.xml("ListVersionsResult", out)
}

// encode writes keys as clients ask for them, since XML cannot hold every key.
func (l *listResult) encode() {
	escape := func(s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "%2F", "/"), "+", "%20")
	}
	l.Prefix, l.Delimiter, l.StartAfter = escape(l.Prefix), escape(l.Delimiter), escape(l.StartAfter)
	for i := range l.Contents {
		l.Contents[i].Key = escape(l.Contents[i].Key)
	}
	for i := range l.CommonPrefixes {
		l.CommonPrefixes[i].Prefix = escape(l.CommonPrefixes[i].Prefix)
	}
}

func (r s3Call) deleteObjects() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	var in struct {
		Object []struct{ Key string }
		Quiet  bool
	}
	if err := xml.Unmarshal(r.body, &in); err != nil {
		return nil, malformedXML()
	}
	type deleted struct{ Key string }
	var out struct {
		Deleted []deleted `wire:"flat"`
	}
	for _, o := range in.Object {
		if err := removeObject(r.tx, r.bucket, o.Key); err != nil {
			return nil, err
		}
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted(o))
		}
	}
	return r.xml("DeleteResult", out)
}
