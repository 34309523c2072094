package sandbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

// caller is who an access key belongs to.
type caller struct {
	Account string `json:"account"`
	ARN     string `json:"arn"`
	UserID  string `json:"id"`
}

// userKey begins the access key of a user of the default account by name, so that
// several people can be played: sandbox.alice is alice.
const userKey = "sandbox."

// identifyCaller looks the access key up: issued by AssumeRole, seeded, an account
// number itself, a user's by name, or anything else, which is the user of the
// default account.
func (s *Server) identifyCaller(tx store.Tx, c *call) error {
	if c.accessKey != "" {
		found, err := getJSON(tx, tableKey, c.accessKey, &c.caller)
		if err != nil || found {
			return err
		}
	}
	account := s.opts.Account
	if isAccount(c.accessKey) {
		account = c.accessKey
	}
	c.caller = userOf(account)
	if name, ok := strings.CutPrefix(c.accessKey, userKey); ok && name != "" {
		c.caller.ARN = "arn:aws:iam::" + account + ":user/" + name
		c.caller.UserID = letters("AIDA", account, name)
	}
	return nil
}

func userOf(account string) caller {
	return caller{Account: account, ARN: "arn:aws:iam::" + account + ":user/sandbox", UserID: letters("AIDA", account)}
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// letters makes an id as IAM writes them: a prefix and 17 capitals and digits.
func letters(prefix string, words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

type (
	credentials struct {
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}
	callerIdentityInput  struct{}
	callerIdentityOutput struct{ UserId, Account, Arn string }
	assumeRoleInput      struct {
		RoleArn, RoleSessionName string
		DurationSeconds          *int
	}
	assumedRoleUser  struct{ AssumedRoleId, Arn string }
	assumeRoleOutput struct {
		Credentials      credentials
		AssumedRoleUser  assumedRoleUser
		PackedPolicySize int
	}
	sessionTokenInput  struct{ DurationSeconds *int }
	sessionTokenOutput struct{ Credentials credentials }
)

func stsService() service {
	return service{
		"GetCallerIdentity": reads(getCallerIdentity),
		"AssumeRole":        writes(assumeRole),
		"GetSessionToken":   writes(getSessionToken),
	}
}

func getCallerIdentity(_ *Server, _ store.Tx, c *call, _ *callerIdentityInput) (*callerIdentityOutput, error) {
	return &callerIdentityOutput{UserId: c.caller.UserID, Account: c.caller.Account, Arn: c.caller.ARN}, nil
}

// assumeRole moves to the account of the role's ARN. Every role exists and trusts
// everybody.
func assumeRole(s *Server, tx store.Tx, c *call, in *assumeRoleInput) (*assumeRoleOutput, error) {
	partition, account, role, ok := parseRole(in.RoleArn)
	if !ok {
		return nil, invalid("ValidationError", "%.200s is invalid", in.RoleArn)
	}
	if in.RoleSessionName == "" {
		return nil, invalid("ValidationError", "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null")
	}
	name := role[strings.LastIndexByte(role, '/')+1:]
	id := letters("AROA", in.RoleArn) + ":" + in.RoleSessionName
	arn := "arn:" + partition + ":sts::" + account + ":assumed-role/" + name + "/" + in.RoleSessionName
	cred, err := s.issue(tx, c, caller{Account: account, ARN: arn, UserID: id}, in.DurationSeconds, time.Hour)
	if err != nil {
		return nil, err
	}
	return &assumeRoleOutput{Credentials: cred, AssumedRoleUser: assumedRoleUser{AssumedRoleId: id, Arn: arn}}, nil
}

func getSessionToken(s *Server, tx store.Tx, c *call, in *sessionTokenInput) (*sessionTokenOutput, error) {
	cred, err := s.issue(tx, c, c.caller, in.DurationSeconds, 12*time.Hour)
	if err != nil {
		return nil, err
	}
	return &sessionTokenOutput{Credentials: cred}, nil
}

// parseRole takes arn:aws:iam::111111111111:role/path/name apart.
func parseRole(arn string) (partition, account, role string, ok bool) {
	p := strings.SplitN(arn, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] != "iam" || !isAccount(p[4]) {
		return "", "", "", false
	}
	role, found := strings.CutPrefix(p[5], "role/")
	return p[1], p[4], role, found && role != "" && !strings.HasSuffix(role, "/")
}

// issue makes credentials and remembers whose they are. They never stop working:
// simulated hours pass in real seconds, and clients renew by the real clock.
func (s *Server) issue(tx store.Tx, c *call, who caller, seconds *int, otherwise time.Duration) (credentials, error) {
	life := otherwise
	if seconds != nil {
		if *seconds < 900 || *seconds > 129600 {
			return credentials{}, invalid("ValidationError", "1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 129600", *seconds)
		}
		life = time.Duration(*seconds) * time.Second
	}
	from := c.at
	if real := s.opts.Now(); real.After(from) {
		from = real
	}
	n, err := nextNumber(tx, tableKey)
	if err != nil {
		return credentials{}, err
	}
	key := letters("ASIA", "key", who.ARN, strconv.FormatUint(s.opts.Seed, 10), strconv.Itoa(n))[:20]
	secret := sha256.Sum256([]byte("secret" + key))
	token := sha256.Sum256([]byte("token" + key))
	return credentials{
		AccessKeyId:     key,
		SecretAccessKey: base64.StdEncoding.EncodeToString(secret[:30]),
		SessionToken:    "sandbox" + base64.StdEncoding.EncodeToString(token[:]),
		Expiration:      from.Add(life).Truncate(time.Second),
	}, putJSON(tx, tableKey, key, who)
}

// nextNumber counts what a table has been given, from 1.
func nextNumber(tx store.Tx, table string) (int, error) {
	var n int
	if _, err := getJSON(tx, "sandbox.number", table, &n); err != nil {
		return 0, err
	}
	n++
	return n, putJSON(tx, "sandbox.number", table, n)
}
