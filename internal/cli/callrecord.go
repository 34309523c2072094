package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/awsconf"
)

// callRecord stands before the sandbox and keeps a record of the calls that reach
// it and may change something there. Making and dropping change sets, with the
// empty shells that they stand in, is not among them, nor are deployer's own
// records.
type callRecord struct {
	aws awsconf.HTTPClient

	mu     sync.Mutex
	writes []string
	shells map[string]bool // ids of stacks that only a change set made
}

// over puts the record before a client.
func (c *callRecord) over(aws awsconf.HTTPClient) awsconf.HTTPClient {
	if c == nil {
		return aws
	}
	c.aws = aws
	return c
}

// made lists the calls so far.
func (c *callRecord) made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.writes)
}

// Do implements awsconf.HTTPClient.
func (c *callRecord) Do(r *http.Request) (*http.Response, error) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	name := form.Get("Action")
	switch target := r.Header.Get("X-Amz-Target"); {
	case target != "":
		name = target[strings.LastIndexByte(target, '.')+1:]
	case name == "":
		name = r.Method + " " + r.URL.Host + r.URL.Path
	}
	c.note(name, form.Get("StackName"))
	answer, err := c.aws.Do(r)
	if err != nil || name != "CreateChangeSet" || form.Get("ChangeSetType") != "CREATE" || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	_, after, _ := strings.Cut(string(body), "<StackId>")
	id, _, _ := strings.Cut(after, "</StackId>")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shells == nil {
		c.shells = map[string]bool{}
	}
	c.shells[id] = true
	return answer, nil
}

// note writes a call down, unless it is known to change nothing.
func (c *callRecord) note(name, stack string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case name == "CreateChangeSet", name == "DeleteChangeSet", name == "DeleteStack" && c.shells[stack]:
	case strings.Contains(name, trialBucket):
	case slices.ContainsFunc([]string{"Get", "List", "Describe", "Head", "Validate", "AssumeRole", "GET ", "HEAD "}, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	}):
	default:
		c.writes = append(c.writes, name)
	}
}

// formOf reads the form that a request of the query protocol is, and puts it back.
func formOf(r *http.Request) (url.Values, error) {
	if r.Body == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return url.Values{}, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return url.ParseQuery(string(body))
}
