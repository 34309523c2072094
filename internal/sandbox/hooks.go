package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
)

// engineConfig joins the engine to the other services: what stacks make becomes
// visible in them, and what they hold can be read by stacks.
func (s *Server) engineConfig() engine.Config {
	return engine.Config{
		Seed:      s.opts.Seed,
		Durations: s.opts.Durations,
		Fault:     s.resourceFault,
		Fetch:     s.fetch,
		Parameter: s.parameterValue,
		Dynamic:   s.dynamic,
		Made:      s.made,
		Gone:      s.gone,
		Snapshot:  s.snapshotted,
		Holds:     s.holds,
		Exists:    s.exists,
		Tracks:    s.tracks,
		Alarm:     s.alarmState,
		Custom:    s.custom,
		Event:     s.notify,
	}
}

func (s *Server) parameterValue(tx engine.Tx, a engine.Account, name string) (string, bool, error) {
	p, found, err := s.findParameter(tx, a, name, false)
	if err == nil && p.Type == typeSecure {
		return "", found, invalid("ValidationError", "Parameters [%s] referenced by template have types not supported by CloudFormation.", name)
	}
	return p.Value, found, err
}

// dynamic resolves the inside of {{resolve:…}}.
func (s *Server) dynamic(tx engine.Tx, a engine.Account, reference string) (string, error) {
	service, rest, _ := strings.Cut(reference, ":")
	switch service {
	case "ssm", "ssm-secure":
		p, found, err := s.findParameter(tx, a, rest, false)
		if err != nil {
			return "", err
		}
		if !found {
			return "", invalid("ValidationError", "Unable to fetch parameters [%s] from parameter store for this account.", rest)
		}
		if p.Type == typeSecure && service == "ssm" {
			return "", invalid("ValidationError", "Non-secure ssm prefix was used for secure parameter %s", p.Name)
		}
		return p.Value, nil
	case "secretsmanager":
		return s.dynamicSecret(tx, a, rest)
	}
	return "", invalid("ValidationError", "Dynamic reference {{resolve:%s}} names an unknown service", reference)
}

// dynamicSecret resolves id:SecretString:json-key:version-stage:version-id, where
// the id may be an ARN and everything after it may be missing.
func (s *Server) dynamicSecret(tx engine.Tx, a engine.Account, reference string) (string, error) {
	parts := strings.Split(reference, ":")
	n := 1
	if parts[0] == "arn" {
		n = min(7, len(parts))
	}
	id := strings.Join(parts[:n], ":")
	parts = append(parts[n:], "", "", "", "")
	if parts[0] != "" && parts[0] != "SecretString" {
		return "", invalid("ValidationError", "Only SecretString is supported in a dynamic reference to Secrets Manager, not %s", parts[0])
	}
	r, err := s.findSecret(tx, a, id)
	if err != nil {
		return "", err
	}
	v, found := r.version(parts[3], parts[2])
	if !found {
		return "", invalid("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for %s", id)
	}
	if s.opts.Stubs && strings.HasPrefix(v.Text, "stub-") && !strings.HasPrefix(v.Text, "{") {
		return v.Text, nil // a made-up secret has every key
	}
	return secretPart(v.Text, parts[1])
}

// fetch reads a template or policy that a request names by URL.
func (s *Server) fetch(tx engine.Tx, _ engine.Account, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, invalid("ValidationError", "TemplateURL must be a supported URL.")
	}
	host := hostOf(&http.Request{URL: u})
	if !s.hasS3(host) {
		return nil, invalid("ValidationError", "TemplateURL must be a supported URL.")
	}
	bucket, key := s.locate(host, u.Path)
	if bucket == "" || key == "" {
		return nil, invalid("ValidationError", "S3 error: Domain name specified in %s is not a valid S3 domain", u.Host)
	}
	if found, err := hasKey(tx, tableBucket, bucket); err != nil {
		return nil, err
	} else if !found {
		return nil, s3Error("The specified bucket does not exist")
	}
	body, found, err := tx.Get(tableBody, objectKey(bucket, key))
	if err == nil && !found {
		err = s3Error("The specified key does not exist.")
	}
	return body, err
}

func s3Error(what string) error {
	return invalid("ValidationError", "S3 error: %s\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html", what)
}

// made shows what a stack made or changed in the service it belongs to.
func (s *Server) made(tx engine.Tx, m engine.Made) error {
	switch m.Type {
	case "AWS::SSM::Parameter":
		return s.madeParameter(tx, m)
	case "AWS::SecretsManager::Secret":
		return s.madeSecret(tx, m)
	case "AWS::S3::Bucket":
		return keepOr(tx, tableBucket, m.Physical, bucketRecord{Account: m.Account.AccountID, Region: m.Account.Region, Created: m.At})
	case "AWS::SNS::Topic":
		return tx.Put(tableTopic, m.Physical, nil)
	case typeAlarm, typeComposite:
		return madeAlarm(tx, m)
	}
	return nil
}

// keepOr writes a record unless there is one.
func keepOr(tx engine.Tx, table, key string, record any) error {
	if found, err := hasKey(tx, table, key); err != nil || found {
		return err
	}
	return putJSON(tx, table, key, record)
}

func (s *Server) madeParameter(tx engine.Tx, m engine.Made) error {
	key := place(m.Account) + m.Physical
	p := parameterRecord{}
	if _, err := getJSON(tx, tableParam, key, &p); err != nil {
		return err
	}
	p.Type, p.Description = textOf(m.Properties["Type"]), textOf(m.Properties["Description"])
	if p.Type == "" {
		p.Type = "String"
	}
	value := textOf(m.Properties["Value"])
	if n := len(p.Versions); n == 0 || p.Versions[n-1].Value != value {
		p.add(value, m.At)
	}
	return putJSON(tx, tableParam, key, p)
}

func (s *Server) madeSecret(tx engine.Tx, m engine.Made) error {
	name := textOf(m.Properties["Name"])
	if name == "" {
		name = secretName(m.Account, m.Physical)
	}
	r := secretRecord{Name: name, ARN: m.Physical, Created: m.At}
	key := place(m.Account) + name
	if _, err := getJSON(tx, tableSecret, key, &r); err != nil {
		return err
	}
	r.Description = textOf(m.Properties["Description"])
	text, given := m.Properties["SecretString"]
	current, has := r.version("", "")
	switch {
	case given && has && current.Text == textOf(text), !given && has:
		return putJSON(tx, tableSecret, key, r) // a generated secret stays as it is
	case !given:
		text = s.generateSecret(m)
	}
	v := secretVersion{ID: s.id("version", m.Physical, strconv.Itoa(len(r.Versions)), textOf(text)), Text: textOf(text), At: m.At}
	if err := r.put(v); err != nil {
		return err
	}
	return putJSON(tx, tableSecret, key, r)
}

// generateSecret follows GenerateSecretString as far as clients can tell.
func (s *Server) generateSecret(m engine.Made) string {
	password := fmt.Sprintf("%x", s.chance("password", m.Physical))[:32]
	rules, _ := m.Properties["GenerateSecretString"].(map[string]any)
	key := textOf(rules["GenerateStringKey"])
	var doc map[string]any
	if key == "" || json.Unmarshal([]byte(textOf(rules["SecretStringTemplate"])), &doc) != nil || doc == nil {
		return password
	}
	doc[key] = password
	raw, err := json.Marshal(doc)
	if err != nil {
		return password
	}
	return string(raw)
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// gone removes what a stack deleted.
func (s *Server) gone(tx engine.Tx, m engine.Made) error {
	switch m.Type {
	case "AWS::SSM::Parameter":
		return tx.Delete(tableParam, place(m.Account)+m.Physical)
	case "AWS::SecretsManager::Secret":
		name := textOf(m.Properties["Name"])
		if name == "" {
			name = secretName(m.Account, m.Physical)
		}
		return tx.Delete(tableSecret, place(m.Account)+name)
	case "AWS::S3::Bucket":
		return tx.Delete(tableBucket, m.Physical)
	case "AWS::SNS::Topic":
		return removeTopic(tx, m.Physical)
	case typeAlarm, typeComposite:
		return tx.Delete(tableAlarm, place(m.Account)+m.Physical)
	}
	return nil
}

// holds says why a resource cannot be deleted.
func (s *Server) holds(tx engine.Tx, m engine.Made) (string, error) {
	if m.Type != "AWS::S3::Bucket" {
		return "", nil
	}
	why := ""
	err := tx.Scan(tableObject, objectKey(m.Physical, ""), "", func(string, []byte) bool {
		why = "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: " +
			strings.ToUpper(s.id("request", m.Physical)[:8]) + ")"
		return false
	})
	return why, err
}

// tracks tells of which types the sandbox knows every resource there is.
func (s *Server) tracks(typeName string) bool {
	switch typeName {
	case "AWS::SSM::Parameter", "AWS::SecretsManager::Secret", "AWS::S3::Bucket", "AWS::SNS::Topic", typeAlarm, typeComposite:
		return !s.opts.Stubs
	}
	return false
}

// exists tells whether somebody outside the stacks has taken a name.
func (s *Server) exists(tx engine.Tx, a engine.Account, typeName, physical string) (bool, error) {
	switch typeName {
	case "AWS::SSM::Parameter":
		return hasKey(tx, tableParam, place(a)+physical)
	case "AWS::SecretsManager::Secret":
		return hasKey(tx, tableSecret, place(a)+secretName(a, physical))
	case "AWS::S3::Bucket":
		return hasKey(tx, tableBucket, physical)
	case "AWS::SNS::Topic":
		return hasKey(tx, tableTopic, physical)
	case typeAlarm, typeComposite:
		return hasKey(tx, tableAlarm, place(a)+physical)
	}
	return false, nil
}
