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

	"github.com/deployer-cli/deployer/stacks"
)

// queryService is a service of which so little is needed that its client is not
// worth its weight.
type queryService struct {
	host string // and the name that calls are signed for
	name string // for the reader
}

// send makes one signed call. status is 0 where there was no answer.
func (q queryService) send(ctx context.Context, cfg aws.Config, form string) (status int, body []byte, err error) {
	endpoint := "https://" + q.host + "." + cfg.Region + ".amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		endpoint += ".cn"
	}
	if cfg.BaseEndpoint != nil {
		endpoint = *cfg.BaseEndpoint
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(endpoint, "/")+"/", strings.NewReader(form))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return 0, nil, err
	}
	sum := sha256.Sum256([]byte(form))
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), q.host, cfg.Region, time.Now()); err != nil {
		return 0, nil, err
	}
	resp, err := cfg.HTTPClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp.StatusCode, body, err
	}
	return resp.StatusCode, nil, q.refusal(resp.StatusCode, form, body)
}

// refusal reads an error answer.
func (q queryService) refusal(status int, form string, body []byte) error {
	var answer struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	values, _ := url.ParseQuery(form)
	e := &stacks.ServiceError{Service: q.name, Operation: values.Get("Action")}
	if err := xml.Unmarshal(body, &answer); err != nil || answer.Code == "" {
		e.Code, e.Message = fmt.Sprintf("HTTP%d", status), http.StatusText(status)
		return e
	}
	e.Code, e.Message = answer.Code, answer.Message
	return e
}
