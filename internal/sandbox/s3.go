package sandbox

import (
	"crypto/md5" //nolint:gosec // S3's ETag is an MD5
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// bucketRecord is a bucket. Names are the world's, not the account's.
type bucketRecord struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Created time.Time `json:"created"`
}

// objectRecord is what is known of an object; its bytes are in a table of their
// own.
type objectRecord struct {
	ETag   string              `json:"etag"` // with its quotes
	CRC32  string              `json:"crc32"`
	Size   int                 `json:"size"`
	At     time.Time           `json:"at"`
	Header map[string][]string `json:"header,omitempty"` // given by the client, told to readers
}

func objectKey(bucket, key string) string { return bucket + "\x00" + key }

// s3Call is one request to S3.
type s3Call struct {
	*call
	s           *Server
	tx          store.Tx
	bucket, key string
}

func (r s3Call) answer(status int, header http.Header, body []byte) *answer {
	if header == nil {
		header = http.Header{}
	}
	if body != nil && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/xml")
	}
	return &answer{status: status, header: header, body: body}
}

func (r s3Call) xml(root string, out any) (*answer, error) {
	return r.answer(http.StatusOK, nil, wire.EncodeXML(root, s3Namespace, out)), nil
}

// owned finds the request's bucket. With stubs, a missing one is made.
func (r s3Call) owned() (bucketRecord, error) {
	var b bucketRecord
	found, err := getJSON(r.tx, tableBucket, r.bucket, &b)
	if err != nil || found {
		return b, err
	}
	value, err := r.s.stub(r.tx, r.account(), "bucket", r.bucket)
	if err != nil {
		return b, err
	}
	if value == "" {
		return b, fault(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	b = bucketRecord{Account: r.caller.Account, Region: r.region, Created: r.at}
	return b, putJSON(r.tx, tableBucket, r.bucket, b)
}

func (r s3Call) createBucket() (*answer, error) {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(r.bucket) {
		return nil, invalid("InvalidBucketName", "The specified bucket is not valid.")
	}
	region, err := r.locationConstraint()
	if err != nil {
		return nil, err
	}
	var b bucketRecord
	if found, err := getJSON(r.tx, tableBucket, r.bucket, &b); err != nil {
		return nil, err
	} else if found && b.Account != r.caller.Account {
		return nil, fault(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.")
	} else if found && r.region != "us-east-1" {
		return nil, fault(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	} else if !found {
		b = bucketRecord{Account: r.caller.Account, Region: region, Created: r.at}
		if err := putJSON(r.tx, tableBucket, r.bucket, b); err != nil {
			return nil, err
		}
	}
	return r.answer(http.StatusOK, http.Header{"Location": {"/" + r.bucket}}, nil), nil
}

func (r s3Call) headBucket() (*answer, error) {
	b, err := r.owned()
	if err != nil {
		return nil, err
	}
	return r.answer(http.StatusOK, http.Header{"X-Amz-Bucket-Region": {b.Region}}, nil), nil
}

func (r s3Call) bucketLocation() (*answer, error) {
	b, err := r.owned()
	if err != nil {
		return nil, err
	}
	if b.Region == "us-east-1" {
		b.Region = "" // the oldest region has no name here
	}
	return r.xml("LocationConstraint", b.Region)
}

func (r s3Call) deleteBucket() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	empty := true
	err := r.tx.Scan(tableObject, objectKey(r.bucket, ""), "", func(string, []byte) bool { empty = false; return false })
	if err != nil {
		return nil, err
	}
	if !empty {
		return nil, fault(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	return r.answer(http.StatusNoContent, nil, nil), r.tx.Delete(tableBucket, r.bucket)
}

func (r s3Call) listBuckets() (*answer, error) {
	type item struct {
		Name         string
		CreationDate time.Time
	}
	var out struct {
		Owner   struct{ ID string }
		Buckets struct {
			Bucket []item `wire:"flat"`
		}
	}
	out.Owner.ID = r.caller.Account
	var names []string
	if err := r.tx.Scan(tableBucket, "", "", func(name string, _ []byte) bool { names = append(names, name); return true }); err != nil {
		return nil, err
	}
	for _, name := range names {
		var b bucketRecord
		if _, err := getJSON(r.tx, tableBucket, name, &b); err != nil {
			return nil, err
		}
		if b.Account == r.caller.Account {
			out.Buckets.Bucket = append(out.Buckets.Bucket, item{name, b.Created})
		}
	}
	return r.xml("ListAllMyBucketsResult", out)
}

func (r s3Call) object() (objectRecord, bool, error) {
	var o objectRecord
	found, err := getJSON(r.tx, tableObject, objectKey(r.bucket, r.key), &o)
	return o, found, err
}

func (r s3Call) noSuchKey() error {
	return fault(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func preconditionFailed() error {
	return fault(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func (r s3Call) putObject() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	old, found, err := r.object()
	if err != nil {
		return nil, err
	}
	if err := r.mayReplace(old, found); err != nil {
		return nil, err
	}
	body, err := r.payload()
	if err != nil {
		return nil, err
	}
	o, err := storeObject(r.tx, r.bucket, r.key, body, r.at, keptHeader(r.r.Header))
	if err != nil {
		return nil, err
	}
	if sum := r.r.Header.Get("X-Amz-Checksum-Crc32"); sum != "" && sum != o.CRC32 {
		return nil, invalid("BadDigest", "The CRC32 you specified did not match the calculated checksum.")
	}
	return r.answer(http.StatusOK, http.Header{"Etag": {o.ETag}, "X-Amz-Checksum-Crc32": {o.CRC32}, "X-Amz-Checksum-Type": {"FULL_OBJECT"}}, nil), nil
}

// mayReplace judges the conditions of a conditional put.
func (r s3Call) mayReplace(old objectRecord, found bool) error {
	if none := r.r.Header.Get("If-None-Match"); none != "" && found && (none == "*" || sameTag(none, old.ETag)) {
		return preconditionFailed()
	}
	match := r.r.Header.Get("If-Match")
	switch {
	case match == "":
		return nil
	case !found:
		return r.noSuchKey()
	case match != "*" && !sameTag(match, old.ETag):
		return preconditionFailed()
	}
	return nil
}

func sameTag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }

// storeObject writes an object whole.
func storeObject(tx engine.Tx, bucket, key string, body []byte, at time.Time, header map[string][]string) (objectRecord, error) {
	sum := md5.Sum(body) //nolint:gosec // S3's ETag is an MD5
	var crc [4]byte
	binary.BigEndian.PutUint32(crc[:], crc32.ChecksumIEEE(body))
	o := objectRecord{
		ETag: `"` + hex.EncodeToString(sum[:]) + `"`, CRC32: base64.StdEncoding.EncodeToString(crc[:]),
		Size: len(body), At: at, Header: header,
	}
	if err := tx.Put(tableBody, objectKey(bucket, key), body); err != nil {
		return o, err
	}
	return o, putJSON(tx, tableObject, objectKey(bucket, key), o)
}

// keptHeader is what S3 gives back with an object.
func keptHeader(h http.Header) map[string][]string {
	kept := map[string][]string{}
	for name, values := range h {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"), strings.HasPrefix(name, "X-Amz-Server-Side-Encryption"),
			name == "Content-Type", name == "Cache-Control", name == "Content-Disposition", name == "Content-Language", name == "Expires":
			kept[name] = values
		case name == "Content-Encoding":
			encoding := strings.Trim(strings.ReplaceAll(strings.Join(values, ","), "aws-chunked", ""), ", ")
			if encoding != "" {
				kept[name] = []string{encoding}
			}
		}
	}
	return kept
}

func (r s3Call) getObject() (*answer, error) {
	a, o, err := r.headOf()
	if err != nil || a.status != http.StatusOK {
		return a, err
	}
	body, _, err := r.tx.Get(tableBody, objectKey(r.bucket, r.key))
	if err != nil {
		return nil, err
	}
	a.body, a.size = body, 0
	from, to, ranged := byteRange(r.r.Header.Get("Range"), o.Size)
	if !ranged {
		return a, nil
	}
	if from >= o.Size {
		return nil, fault(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	a.status, a.body = http.StatusPartialContent, body[from:to+1]
	a.header.Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(to)+"/"+strconv.Itoa(o.Size))
	a.header.Del("X-Amz-Checksum-Crc32")
	return a, nil
}

func (r s3Call) headObject() (*answer, error) {
	a, _, err := r.headOf()
	return a, err
}

// headOf answers an object's header, or 304 where the reader has it already.
func (r s3Call) headOf() (*answer, objectRecord, error) {
	if _, err := r.owned(); err != nil {
		return nil, objectRecord{}, err
	}
	o, found, err := r.object()
	if err != nil {
		return nil, o, err
	}
	if !found {
		return nil, o, r.noSuchKey()
	}
	header := http.Header{"Content-Type": {"binary/octet-stream"}}
	maps.Copy(header, o.Header)
	header.Set("Etag", o.ETag)
	header.Set("Last-Modified", o.At.UTC().Format(http.TimeFormat))
	header.Set("Accept-Ranges", "bytes")
	if r.r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		header.Set("X-Amz-Checksum-Crc32", o.CRC32)
		header.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
	if match := r.r.Header.Get("If-Match"); match != "" && match != "*" && !sameTag(match, o.ETag) {
		return nil, o, preconditionFailed()
	}
	if none := r.r.Header.Get("If-None-Match"); none != "" && (none == "*" || sameTag(none, o.ETag)) {
		return r.answer(http.StatusNotModified, header, nil), o, nil
	}
	a := r.answer(http.StatusOK, header, nil)
	a.size = o.Size
	return a, o, nil
}

// byteRange reads "bytes=a-b", "bytes=a-" and "bytes=-n". Anything else is no
// range, as HTTP wants it.
func byteRange(header string, size int) (from, to int, ok bool) {
	first, rest, found := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	if !strings.HasPrefix(header, "bytes=") || !found {
		return 0, 0, false
	}
	if first == "" {
		n, err := strconv.Atoi(rest)
		if err != nil || n <= 0 {
			return 0, 0, false
		}
		return max(size-n, 0), size - 1, true
	}
	from, err := strconv.Atoi(first)
	if err != nil || from < 0 {
		return 0, 0, false
	}
	to = size - 1
	if rest != "" {
		if to, err = strconv.Atoi(rest); err != nil || to < from {
			return 0, 0, false
		}
	}
	return from, min(to, size-1), true
}

func (r s3Call) deleteObject() (*answer, error) {
	if _, err := r.owned(); err != nil {
		return nil, err
	}
	return r.answer(http.StatusNoContent, nil, nil), removeObject(r.tx, r.bucket, r.key)
}

func removeObject(tx engine.Tx, bucket, key string) error {
	if err := tx.Delete(tableBody, objectKey(bucket, key)); err != nil {
		return err
	}
	return tx.Delete(tableObject, objectKey(bucket, key))
}
