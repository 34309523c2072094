package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/engine"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// secretVersion is one version of a secret.
type secretVersion struct {
	ID     string    `json:"id"`
	Text   string    `json:"text,omitempty"`
	Binary []byte    `json:"binary,omitempty"`
	Stages []string  `json:"stages,omitempty"`
	At     time.Time `json:"at"`
}

// secretRecord is a secret with its versions, newest last.
type secretRecord struct {
	Name        string          `json:"name"`
	ARN         string          `json:"arn"`
	Description string          `json:"description,omitempty"`
	Created     time.Time       `json:"created"`
	Versions    []secretVersion `json:"versions,omitempty"`
}

const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

// put adds a version, or repeats the answer of the request that made it.
func (r *secretRecord) put(v secretVersion) error {
	for _, old := range r.Versions {
		if old.ID == v.ID {
			if old.Text == v.Text && string(old.Binary) == string(v.Binary) {
				return nil
			}
			return invalid("ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", v.ID, r.ARN)
		}
	}
	if len(v.Stages) == 0 {
		v.Stages = []string{stageCurrent}
	}
	for i := range r.Versions {
		old := &r.Versions[i]
		if slices.Contains(v.Stages, stageCurrent) {
			current := slices.Contains(old.Stages, stageCurrent)
			old.Stages = slices.DeleteFunc(old.Stages, func(s string) bool { return s == stagePrevious })
			if current {
				old.Stages = append(old.Stages, stagePrevious)
			}
		}
		old.Stages = slices.DeleteFunc(old.Stages, func(s string) bool { return slices.Contains(v.Stages, s) })
	}
	r.Versions = append(r.Versions, v)
	if len(r.Versions) > keptVersions {
		r.Versions = slices.Delete(r.Versions, 0, 1)
	}
	return nil
}

// version finds the version with an id or a stage; the current one without either.
func (r *secretRecord) version(id, stage string) (secretVersion, bool) {
	if id == "" && stage == "" {
		stage = stageCurrent
	}
	for _, v := range slices.Backward(r.Versions) {
		if (id == "" || v.ID == id) && (stage == "" || slices.Contains(v.Stages, stage)) {
			return v, true
		}
	}
	return secretVersion{}, false
}

type (
	getSecretInput  struct{ SecretId, VersionId, VersionStage string }
	getSecretOutput struct {
		ARN, Name, VersionId string
		SecretBinary         []byte
		SecretString         *string
		VersionStages        []string
		CreatedDate          time.Time
	}
	createSecretInput struct {
		Name, Description, ClientRequestToken string
		SecretString                          *string
		SecretBinary                          []byte
	}
	putSecretInput struct {
		SecretId, ClientRequestToken string
		SecretString                 *string
		SecretBinary                 []byte
		VersionStages                []string
	}
	secretOutput struct {
		ARN, Name, VersionId string
		VersionStages        []string
	}
	describeSecretOutput struct {
		ARN, Name, Description       string
		CreatedDate, LastChangedDate time.Time
		VersionIdsToStages           map[string][]string
	}
	deleteSecretOutput struct {
		ARN, Name    string
		DeletionDate time.Time
	}
)

func secretsService() service {
	return service{
		"GetSecretValue": reads(getSecretValue),
		"DescribeSecret": reads(describeSecret),
		"CreateSecret":   writes(createSecret),
		"PutSecretValue": writes(putSecretValue),
		"DeleteSecret":   writes(deleteSecret),
	}
}

func secretPrefix(a engine.Account) string {
	return "arn:aws:secretsmanager:" + a.Region + ":" + a.AccountID + ":secret:"
}

// secretName reads a name out of a name, an ARN, or an ARN without its six random
// letters.
func secretName(a engine.Account, id string) string {
	name, isARN := strings.CutPrefix(id, secretPrefix(a))
	if i := len(name) - 7; isARN && i > 0 && name[i] == '-' {
		return name[:i]
	}
	return name
}

func (s *Server) findSecret(tx engine.Tx, a engine.Account, id string) (secretRecord, error) {
	var r secretRecord
	for _, name := range []string{secretName(a, id), strings.TrimPrefix(id, secretPrefix(a))} {
		if found, err := getJSON(tx, tableSecret, place(a)+name, &r); err != nil || found {
			return r, err
		}
	}
	name := secretName(a, id)
	value, err := s.stub(tx, a, "secret", name)
	if err != nil {
		return r, err
	}
	if value == "" {
		return r, invalid("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	r = secretRecord{Name: name, ARN: s.secretARN(a, name)}
	return r, r.put(secretVersion{ID: s.id("stub", name), Text: value})
}

func (s *Server) secretARN(a engine.Account, name string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	sum := s.chance("secret", a.AccountID, a.Region, name)
	tail := make([]byte, 6)
	for i := range tail {
		tail[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return secretPrefix(a) + name + "-" + string(tail)
}

func getSecretValue(s *Server, tx store.Tx, c *call, in *getSecretInput) (*getSecretOutput, error) {
	r, err := s.findSecret(tx, c.account(), in.SecretId)
	if err != nil {
		return nil, err
	}
	v, found := r.version(in.VersionId, in.VersionStage)
	if !found {
		what := "staging label: " + stageCurrent
		if in.VersionId != "" {
			what = "VersionId: " + in.VersionId
		} else if in.VersionStage != "" {
			what = "staging label: " + in.VersionStage
		}
		return nil, invalid("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for %s", what)
	}
	out := &getSecretOutput{ARN: r.ARN, Name: r.Name, VersionId: v.ID, VersionStages: v.Stages, CreatedDate: v.At, SecretBinary: v.Binary}
	if v.Binary == nil {
		out.SecretString = &v.Text
	}
	return out, nil
}

func describeSecret(s *Server, tx store.Tx, c *call, in *getSecretInput) (*describeSecretOutput, error) {
	r, err := s.findSecret(tx, c.account(), in.SecretId)
	if err != nil {
		return nil, err
	}
	out := &describeSecretOutput{ARN: r.ARN, Name: r.Name, Description: r.Description, CreatedDate: r.Created, VersionIdsToStages: map[string][]string{}}
	for _, v := range r.Versions {
		out.LastChangedDate = v.At
		if len(v.Stages) > 0 {
			out.VersionIdsToStages[v.ID] = v.Stages
		}
	}
	return out, nil
}

func createSecret(s *Server, tx store.Tx, c *call, in *createSecretInput) (*secretOutput, error) {
	if in.Name == "" || strings.ContainsRune(in.Name, 0) {
		return nil, invalid("InvalidParameterException", "You must provide a value for the Name parameter.")
	}
	key := place(c.account()) + in.Name
	if found, err := hasKey(tx, tableSecret, key); err != nil {
		return nil, err
	} else if found {
		return nil, invalid("ResourceExistsException", "The operation failed because the secret %s already exists.", in.Name)
	}
	r := secretRecord{Name: in.Name, ARN: s.secretARN(c.account(), in.Name), Description: in.Description, Created: c.at}
	out := &secretOutput{ARN: r.ARN, Name: r.Name}
	if in.SecretString != nil || in.SecretBinary != nil {
		v, err := s.newVersion(tx, c, in.ClientRequestToken, in.SecretString, in.SecretBinary)
		if err != nil {
			return nil, err
		}
		if err := r.put(v); err != nil {
			return nil, err
		}
		out.VersionId = v.ID
	}
	return out, putJSON(tx, tableSecret, key, r)
}

func (s *Server) newVersion(tx store.Tx, c *call, token string, text *string, binary []byte) (secretVersion, error) {
	if token == "" {
		n, err := nextNumber(tx, tableSecret)
		if err != nil {
			return secretVersion{}, err
		}
		token = s.id("version", strconv.Itoa(n))
	}
	v := secretVersion{ID: token, Binary: binary, At: c.at}
	if text != nil {
		v.Text = *text
	}
	return v, nil
}

func putSecretValue(s *Server, tx store.Tx, c *call, in *putSecretInput) (*secretOutput, error) {
	r, err := s.findSecret(tx, c.account(), in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.SecretString == nil && in.SecretBinary == nil {
		return nil, invalid("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	v, err := s.newVersion(tx, c, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	v.Stages = in.VersionStages
	if err := r.put(v); err != nil {
		return nil, err
	}
	stored, _ := r.version(v.ID, "")
	return &secretOutput{ARN: r.ARN, Name: r.Name, VersionId: v.ID, VersionStages: stored.Stages}, putJSON(tx, tableSecret, place(c.account())+r.Name, r)
}

// deleteSecret deletes at once: the waiting time of the real one would only be in
// the way of practice.
func deleteSecret(s *Server, tx store.Tx, c *call, in *getSecretInput) (*deleteSecretOutput, error) {
	r, err := s.findSecret(tx, c.account(), in.SecretId)
	if err != nil {
		return nil, err
	}
	return &deleteSecretOutput{ARN: r.ARN, Name: r.Name, DeletionDate: c.at}, tx.Delete(tableSecret, place(c.account())+r.Name)
}

// secretPart picks what a dynamic reference names: the whole text or one key of
// its JSON.
func secretPart(text, key string) (string, error) {
	if key == "" {
		return text, nil
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return "", invalid("ValidationError", "Could not parse SecretString JSON")
	}
	value, ok := doc[key]
	if !ok {
		return "", invalid("ValidationError", "Could not find a value associated with JSONKey in SecretString")
	}
	if s, ok := value.(string); ok {
		return s, nil
	}
	raw, err := json.Marshal(value)
	return string(raw), err
}
