package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// typeSecure is the type of parameters that are encrypted.
const typeSecure = "SecureString"

// parameterVersion is one version of an SSM parameter.
type parameterVersion struct {
	Value string    `json:"v"`
	At    time.Time `json:"at"`
}

// parameterRecord is an SSM parameter with its history, newest last.
type parameterRecord struct {
	Type        string             `json:"type"`
	Description string             `json:"description,omitempty"`
	First       int                `json:"first"` // version of Versions[0]
	Versions    []parameterVersion `json:"versions"`
}

// keptVersions is how many versions AWS keeps.
const keptVersions = 100

func (p *parameterRecord) latest() int { return p.First + len(p.Versions) - 1 }

func (p *parameterRecord) add(value string, at time.Time) {
	if p.First == 0 {
		p.First = 1
	}
	p.Versions = append(p.Versions, parameterVersion{value, at})
	if len(p.Versions) > keptVersions {
		p.Versions, p.First = slices.Delete(p.Versions, 0, 1), p.First+1
	}
}

type (
	ssmParameter struct {
		Name, Type, Value string
		Version           int
		Selector          string
		LastModifiedDate  time.Time
		ARN, DataType     string
	}
	getParameterInput struct {
		Name           string
		WithDecryption *bool
	}
	getParameterOutput struct{ Parameter ssmParameter }
	getParametersInput struct {
		Names          []string
		WithDecryption *bool
	}
	getParametersOutput struct {
		Parameters        []ssmParameter `wire:"always"`
		InvalidParameters []string       `wire:"always"`
	}
	putParameterInput struct {
		Name, Type, Description string
		Value                   *string
		Overwrite               *bool
	}
	putParameterOutput struct {
		Version int
		Tier    string
	}
	deleteParameterInput     struct{ Name string }
	deleteParametersInput    struct{ Names []string }
	deleteParametersOutput   struct{ DeletedParameters, InvalidParameters []string }
	getParametersByPathInput struct {
		Path, NextToken string
		Recursive       *bool
		MaxResults      *int
	}
	getParametersByPathOutput struct {
		Parameters []ssmParameter `wire:"always"`
		NextToken  string
	}
)

func ssmService() service {
	return service{
		"GetParameter":        reads(getParameter),
		"GetParameters":       reads(getParameters),
		"GetParametersByPath": reads(getParametersByPath),
		"PutParameter":        writes(putParameter),
		"DeleteParameter":     writes(deleteParameter),
		"DeleteParameters":    writes(deleteParameters),
	}
}

// place is the part of keys that stands for an account and region.
func place(a engine.Account) string { return a.AccountID + "\x00" + a.Region + "\x00" }

func parameterARN(a engine.Account, name string) string {
	return "arn:aws:ssm:" + a.Region + ":" + a.AccountID + ":parameter/" + strings.TrimPrefix(name, "/")
}

// findParameter reads name, name:version or an ARN.
func (s *Server) findParameter(tx engine.Tx, a engine.Account, selector string, encrypted bool) (ssmParameter, bool, error) {
	name, version := selector, 0
	if arn := parameterARN(a, ""); strings.HasPrefix(name, arn) {
		name = strings.TrimPrefix(name, arn)
		if found, err := hasKey(tx, tableParam, place(a)+"/"+name); err != nil {
			return ssmParameter{}, false, err
		} else if found {
			name = "/" + name
		}
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil {
			name, version = name[:i], n
		}
	}
	var p parameterRecord
	found, err := getJSON(tx, tableParam, place(a)+name, &p)
	if err != nil {
		return ssmParameter{}, false, err
	}
	if !found {
		return s.stubParameter(tx, a, name)
	}
	if version == 0 {
		version = p.latest()
	}
	i := version - p.First
	if i < 0 || i >= len(p.Versions) {
		return ssmParameter{}, false, nil
	}
	out := ssmParameter{
		Name: name, Type: p.Type, Value: p.Versions[i].Value, Version: version, DataType: "text",
		LastModifiedDate: p.Versions[i].At, ARN: parameterARN(a, name),
	}
	if selector != name && strings.HasPrefix(selector, name+":") {
		out.Selector = selector[len(name):]
	}
	if encrypted && p.Type == typeSecure {
		out.Value = "encrypted:" + fmt.Sprintf("%x", s.chance("kms", out.Value))[:32]
	}
	return out, true, nil
}

func (s *Server) stubParameter(tx engine.Tx, a engine.Account, name string) (ssmParameter, bool, error) {
	value, err := s.stub(tx, a, "parameter", name)
	if err != nil || value == "" {
		return ssmParameter{}, false, err
	}
	return ssmParameter{Name: name, Type: "String", Value: value, Version: 1, DataType: "text", ARN: parameterARN(a, name)}, true, nil
}

func hasKey(tx engine.Tx, table, key string) (bool, error) {
	_, found, err := tx.Get(table, key)
	return found, err
}

func getParameter(s *Server, tx store.Tx, c *call, in *getParameterInput) (*getParameterOutput, error) {
	p, found, err := s.findParameter(tx, c.account(), in.Name, !isTrue(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, s.missingParameter(tx, c.account(), in.Name)
	}
	return &getParameterOutput{p}, nil
}

// missingParameter tells a missing parameter from a missing version.
func (s *Server) missingParameter(tx engine.Tx, a engine.Account, selector string) error {
	if i := strings.LastIndexByte(selector, ':'); i > 0 {
		if found, err := hasKey(tx, tableParam, place(a)+selector[:i]); err != nil {
			return err
		} else if found {
			return invalid("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector[i+1:], selector[:i])
		}
	}
	return &engine.Error{Status: http.StatusBadRequest, Code: "ParameterNotFound"} // AWS says no more
}

func isTrue(b *bool) bool { return b != nil && *b }

func getParameters(s *Server, tx store.Tx, c *call, in *getParametersInput) (*getParametersOutput, error) {
	if len(in.Names) == 0 || len(in.Names) > 10 {
		return nil, invalid("ValidationException", "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10 and greater than or equal to 1")
	}
	out := &getParametersOutput{}
	for _, name := range in.Names {
		p, found, err := s.findParameter(tx, c.account(), name, !isTrue(in.WithDecryption))
		switch {
		case err != nil:
			return nil, err
		case found:
			out.Parameters = append(out.Parameters, p)
		default:
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

func putParameter(_ *Server, tx store.Tx, c *call, in *putParameterInput) (*putParameterOutput, error) {
	if in.Name == "" || strings.ContainsAny(in.Name, ": \x00") {
		return nil, invalid("ValidationException", "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	}
	if in.Value == nil || *in.Value == "" {
		return nil, invalid("ValidationException", "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	}
	var p parameterRecord
	key := place(c.account()) + in.Name
	found, err := getJSON(tx, tableParam, key, &p)
	if err != nil {
		return nil, err
	}
	if found && !isTrue(in.Overwrite) {
		return nil, invalid("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	}
	if !found {
		p.Type = "String"
	}
	if in.Type != "" {
		p.Type = in.Type
	}
	if !slices.Contains([]string{"String", "StringList", typeSecure}, p.Type) {
		return nil, invalid("UnsupportedParameterType", "The parameter type %q is not supported.", p.Type)
	}
	p.Description = in.Description
	p.add(*in.Value, c.at)
	return &putParameterOutput{Version: p.latest(), Tier: "Standard"}, putJSON(tx, tableParam, key, p)
}

func deleteParameter(_ *Server, tx store.Tx, c *call, in *deleteParameterInput) (*noOutput, error) {
	key := place(c.account()) + in.Name
	if found, err := hasKey(tx, tableParam, key); err != nil {
		return nil, err
	} else if !found {
		return nil, &engine.Error{Status: http.StatusBadRequest, Code: "ParameterNotFound"}
	}
	return &noOutput{}, tx.Delete(tableParam, key)
}

func deleteParameters(s *Server, tx store.Tx, c *call, in *deleteParametersInput) (*deleteParametersOutput, error) {
	out := &deleteParametersOutput{}
	for _, name := range in.Names {
		_, err := deleteParameter(s, tx, c, &deleteParameterInput{name})
		if _, refused := errors.AsType[*engine.Error](err); refused {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		} else if err != nil {
			return nil, err
		}
		out.DeletedParameters = append(out.DeletedParameters, name)
	}
	return out, nil
}

func getParametersByPath(s *Server, tx store.Tx, c *call, in *getParametersByPathInput) (*getParametersByPathOutput, error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, invalid("ValidationException", "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".")
	}
	limit := 10
	if in.MaxResults != nil {
		limit = min(max(*in.MaxResults, 1), 10)
	}
	prefix := place(c.account()) + strings.TrimSuffix(in.Path, "/") + "/"
	after := ""
	if in.NextToken != "" {
		after = place(c.account()) + in.NextToken
	}
	var names []string
	more := false
	err := tx.Scan(tableParam, prefix, after, func(key string, _ []byte) bool {
		if !isTrue(in.Recursive) && strings.Contains(key[len(prefix):], "/") {
			return true
		}
		if len(names) == limit {
			more = true
			return false
		}
		names = append(names, strings.TrimPrefix(key, place(c.account())))
		return true
	})
	out := &getParametersByPathOutput{}
	if more {
		out.NextToken = names[len(names)-1]
	}
	for _, name := range names {
		p, _, findErr := s.findParameter(tx, c.account(), name, false)
		err = errors.Join(err, findErr)
		out.Parameters = append(out.Parameters, p)
	}
	return out, err
}

// scanJSON reads every value under a prefix.
func scanJSON[T any](tx engine.Tx, table, prefix string) ([]T, error) {
	var out []T
	var failed error
	err := tx.Scan(table, prefix, "", func(_ string, raw []byte) bool {
		var v T
		if failed = json.Unmarshal(raw, &v); failed != nil {
			failed = fmt.Errorf("decode %s: %w", table, failed)
			return false
		}
		out = append(out, v)
		return true
	})
	return out, errors.Join(err, failed)
}
