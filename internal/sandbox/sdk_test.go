package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

type httpClient interface {
	Do(*http.Request) (*http.Response, error)
}

// door is a way to reach a sandbox with the real SDK clients.
type door struct {
	s      *sandbox.Server
	http   httpClient
	url    string
	region string
	key    string
	token  string
}

func (d door) config() aws.Config {
	return aws.Config{
		Region: d.region, HTTPClient: d.http, BaseEndpoint: &d.url,
		Credentials: credentials.NewStaticCredentialsProvider(d.key, "secret", d.token),
	}
}

func (d door) cfn() *cloudformation.Client { return cloudformation.NewFromConfig(d.config()) }
func (d door) sts() *sts.Client            { return sts.NewFromConfig(d.config()) }
func (d door) s3() *s3.Client              { return s3.NewFromConfig(d.config()) }
func (d door) ssm() *ssm.Client            { return ssm.NewFromConfig(d.config()) }
func (d door) sm() *secretsmanager.Client  { return secretsmanager.NewFromConfig(d.config()) }

func inProcess(opts sandbox.Options) door {
	if opts.Store == nil {
		opts.Store = store.NewMemory()
	}
	s := sandbox.New(opts)
	return door{s: s, http: s.Client(), url: sandbox.Endpoint, region: "eu-west-1", key: "AKIATEST"}
}

func overTCP(t *testing.T, opts sandbox.Options) door {
	t.Helper()
	d := inProcess(opts)
	srv := httptest.NewServer(d.s)
	t.Cleanup(srv.Close)
	d.http, d.url = srv.Client(), srv.URL
	return d
}

// eachDoor runs a test through both doors.
func eachDoor(t *testing.T, opts sandbox.Options, test func(t *testing.T, d door)) {
	t.Helper()
	t.Run("in process", func(t *testing.T) { t.Parallel(); test(t, inProcess(opts)) })
	t.Run("over tcp", func(t *testing.T) { t.Parallel(); test(t, overTCP(t, opts)) })
}

func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

func must[T any](t testing.TB) func(out T, err error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if code(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSTS(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx := t.Context()
		who := must[*sts.GetCallerIdentityOutput](t)(d.sts().GetCallerIdentity(ctx, nil))
		if *who.Account != "123456789012" || *who.Arn != "arn:aws:iam::123456789012:user/sandbox" {
			t.Errorf("%s %s", *who.Account, *who.Arn)
		}
		role := must[*sts.AssumeRoleOutput](t)(d.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: new("arn:aws:iam::222222222222:role/path/deploy"), RoleSessionName: new("me")}))
		d.key, d.token = *role.Credentials.AccessKeyId, *role.Credentials.SessionToken
		who = must[*sts.GetCallerIdentityOutput](t)(d.sts().GetCallerIdentity(ctx, nil))
		if *who.Account != "222222222222" || *who.Arn != "arn:aws:sts::222222222222:assumed-role/deploy/me" {
			t.Errorf("%s %s", *who.Account, *who.Arn)
		}
		session := must[*sts.GetSessionTokenOutput](t)(d.sts().GetSessionToken(ctx, nil))
		if *session.Credentials.AccessKeyId == d.key {
			t.Error("the session has the key it was made with")
		}
		for _, arn := range []string{"x", "arn:aws:iam::1:role/a", "arn:aws:iam::222222222222:user/a", "arn:aws:iam::222222222222:role/"} {
			_, err := d.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: new("me")})
			wantCode(t, err, "ValidationError")
		}
	})
}

func TestSSM(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx := t.Context()
		put := func(name, value string, kind string, overwrite bool) error {
			_, err := d.ssm().PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: &value, Type: ssmType(kind), Overwrite: &overwrite})
			return err
		}
		for _, p := range [][3]string{{"/a/one", "1", "String"}, {"/a/b/two", "x,y", "StringList"}, {"/a/secret", "hush", "SecureString"}, {"flat", "f", "String"}} {
			if err := put(p[0], p[1], p[2], false); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, put("/a/one", "2", "String", false), "ParameterAlreadyExists")
		if err := put("/a/one", "2", "String", true); err != nil {
			t.Fatal(err)
		}
		get := func(name string, decrypt bool) string {
			t.Helper()
			out := must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: &decrypt}))
			return *out.Parameter.Value
		}
		arn := "arn:aws:ssm:eu-west-1:123456789012:parameter/a/one"
		if get("/a/one", false) != "2" || get("/a/one:1", false) != "1" || get(arn, false) != "2" || get("flat", false) != "f" {
			t.Error("versions are mixed up")
		}
		if get("/a/secret", true) != "hush" || get("/a/secret", false) == "hush" {
			t.Error("a SecureString is readable without decryption, or not with it")
		}
		_, err := d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: new("/a/one:9")})
		wantCode(t, err, "ParameterVersionNotFound")
		many := must[*ssm.GetParametersOutput](t)(d.ssm().GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"flat", "nope"}}))
		if len(many.Parameters) != 1 || many.Parameters[0].LastModifiedDate == nil || len(many.InvalidParameters) != 1 {
			t.Errorf("%+v", many)
		}
		var names []string
		pages := ssm.NewGetParametersByPathPaginator(d.ssm(), &ssm.GetParametersByPathInput{Path: new("/a"), Recursive: new(true), MaxResults: new(int32(2))})
		for pages.HasMorePages() {
			for _, p := range must[*ssm.GetParametersByPathOutput](t)(pages.NextPage(ctx)).Parameters {
				names = append(names, *p.Name)
			}
		}
		if len(names) != 3 {
			t.Errorf("by path: %v", names)
		}
		direct := must[*ssm.GetParametersByPathOutput](t)(d.ssm().GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: new("/a/")}))
		if len(direct.Parameters) != 2 {
			t.Errorf("directly under the path: %+v", direct.Parameters)
		}
		must[*ssm.DeleteParameterOutput](t)(d.ssm().DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: new("flat")}))
		_, err = d.ssm().DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: new("flat")})
		wantCode(t, err, "ParameterNotFound")
		d.region = "us-east-1"
		_, err = d.ssm().GetParameter(ctx, &ssm.GetParameterInput{Name: new("/a/one")})
		wantCode(t, err, "ParameterNotFound")
	})
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	eachDoor(t, sandbox.Options{}, func(t *testing.T, d door) {
		ctx := t.Context()
		made := must[*secretsmanager.CreateSecretOutput](t)(d.sm().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: new("db"), SecretString: new("one")}))
		_, err := d.sm().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: new("db"), SecretString: new("one")})
		wantCode(t, err, "ResourceExistsException")
		must[*secretsmanager.PutSecretValueOutput](t)(d.sm().PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: new("two")}))
		get := func(in secretsmanager.GetSecretValueInput) string {
			t.Helper()
			return *must[*secretsmanager.GetSecretValueOutput](t)(d.sm().GetSecretValue(ctx, &in)).SecretString
		}
		if get(secretsmanager.GetSecretValueInput{SecretId: new("db")}) != "two" ||
			get(secretsmanager.GetSecretValueInput{SecretId: made.ARN, VersionStage: new("AWSPREVIOUS")}) != "one" ||
			get(secretsmanager.GetSecretValueInput{SecretId: new("db"), VersionId: made.VersionId}) != "one" {
			t.Error("versions are mixed up")
		}
		about := must[*secretsmanager.DescribeSecretOutput](t)(d.sm().DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: new("db")}))
		if len(about.VersionIdsToStages) != 2 || about.CreatedDate == nil {
			t.Errorf("%+v", about)
		}
		for _, in := range []secretsmanager.GetSecretValueInput{{SecretId: new("nope")}, {SecretId: new("db"), VersionStage: new("x")}} {
			_, err := d.sm().GetSecretValue(ctx, &in)
			wantCode(t, err, "ResourceNotFoundException")
		}
		must[*secretsmanager.CreateSecretOutput](t)(d.sm().CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: new("raw"), SecretBinary: []byte{0, 255}}))
		raw := must[*secretsmanager.GetSecretValueOutput](t)(d.sm().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: new("raw")}))
		if string(raw.SecretBinary) != "\x00\xff" || raw.SecretString != nil {
			t.Errorf("%+v", raw)
		}
	})
}

func TestUnknownServiceIsNotRetried(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	n := 0
	d.http = counting{d.http, &n}
	_, err := d.ssm().DescribeInstanceInformation(t.Context(), nil)
	if code(err) != "NotImplemented" || n != 1 {
		t.Errorf("%v after %d requests", err, n)
	}
}

type counting struct {
	httpClient
	n *int
}

func (c counting) Do(r *http.Request) (*http.Response, error) {
	*c.n++
	return c.httpClient.Do(r)
}
