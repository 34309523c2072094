package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxChunkLine bounds the line before a chunk, signature included.
const maxChunkLine = 4096

// DecodeChunked takes the frames off a body with the content encoding
// aws-chunked, as clients send it to S3. Signatures and trailing checksums are
// not checked. A body longer than limit is an *Error.
func DecodeChunked(body []byte, limit int) ([]byte, error) {
	in := bufio.NewReaderSize(bytes.NewReader(body), maxChunkLine)
	var out bytes.Buffer
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, &Error{"", "aws-chunked body: a chunk without a size"}
		}
		text, _, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), ";")
		size, err := strconv.ParseUint(text, 16, 31)
		if err != nil {
			return nil, &Error{"", fmt.Sprintf("aws-chunked body: bad chunk size %.20q", text)}
		}
		if size == 0 {
			return out.Bytes(), nil
		}
		if out.Len()+int(size) > limit {
			return nil, &Error{"", fmt.Sprintf("aws-chunked body: longer than %d bytes", limit)}
		}
		if _, err := io.CopyN(&out, in, int64(size)); err != nil {
			return nil, &Error{"", "aws-chunked body: a chunk is cut short"}
		}
		end := make([]byte, 2)
		if _, err := io.ReadFull(in, end); err != nil || string(end) != "\r\n" {
			return nil, &Error{"", "aws-chunked body: a chunk without an end"}
		}
	}
}
