package sandbox_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

func TestSeedMistakes(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	for src, want := range map[string]string{
		"paramters: {a: b}":                    `line 1, column 1: unknown key "paramters"`, //nolint:misspell // misspelt on purpose
		"account: 12":                          `account "12" is not twelve digits`,
		"parameters: [a]":                      "parameters: a list where a map is expected",
		"parameters: {a: {valeu: b}}":          `unknown key "valeu"`,
		"parameters: {a: {value: b, type: X}}": `type "X" is none of`,
		"buckets: {a: b}":                      "buckets: a map where a list is expected",
		"buckets: [[a]]":                       "a list where a text is expected",
		"objects: {b: text}":                   "a map of keys is expected",
		"exports: {a: [b]}":                    "exports: a list where a text is expected",
		"- text":                               "a string where a map is expected",
		"{":                                    "",
	} {
		if _, err := d.s.Seed(t.Context(), []byte(src)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", src, err)
		}
	}
	got, err := d.s.Seed(t.Context(), []byte("seed:\n- parameters: {a: 010, b: yes, c: 'x'}\n  region: eu-west-1\n- {}\n"))
	if err != nil || got.Parameters != 3 {
		t.Fatal(got, err)
	}
	for name, want := range map[string]string{"a": "010", "b": "yes", "c": "x"} {
		out := must[*ssm.GetParameterOutput](t)(d.ssm().GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name}))
		if *out.Parameter.Value != want {
			t.Errorf("%s: %s as it was written, not %s", name, want, *out.Parameter.Value)
		}
	}
}

func FuzzSeed(f *testing.F) {
	f.Add("parameters: {a: {value: b}}\nsecrets: {x: [1, {y: z}]}\nobjects: {b: {k: v}}")
	f.Add("- account: 123456789012\n- buckets: [a]")
	f.Fuzz(func(t *testing.T, src string) {
		s := sandbox.New(sandbox.Options{Store: store.NewMemory()})
		if got, err := s.Seed(t.Context(), []byte(src)); err != nil && got != (sandbox.Seeded{}) {
			t.Errorf("seeded %+v beside an error", got)
		}
	})
}

func TestListenIsLoopbackOnly(t *testing.T) {
	t.Parallel()
	d := inProcess(sandbox.Options{})
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "nonsense"} {
		if l, err := d.s.Listen(t.Context(), addr); err == nil {
			t.Errorf("listens on %s", l.Addr())
			_ = l.Close()
		}
	}
	for _, addr := range []string{":0", "localhost:0", "127.0.0.1:0"} {
		l, err := d.s.Listen(t.Context(), addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if !strings.HasPrefix(l.Addr().String(), "127.0.0.1:") {
			t.Errorf("%s became %s", addr, l.Addr())
		}
		_ = l.Close()
	}
	open := inProcess(sandbox.Options{AllowRemote: true})
	l, err := open.s.Listen(t.Context(), "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

// served runs a sandbox on a port and answers its URL.
func served(t *testing.T, opts sandbox.Options) (d door, stop func()) {
	t.Helper()
	d = inProcess(opts)
	ctx, cancel := context.WithCancel(t.Context())
	l, err := d.s.Listen(ctx, ":0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.s.ServeListener(ctx, l) }()
	d.http, d.url = http.DefaultClient, "http://"+l.Addr().String()
	stop = func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopped with %v", err)
		}
	}
	return d, stop
}

func TestServe(t *testing.T) {
	t.Parallel()
	d, stop := served(t, sandbox.Options{})
	must[*cloudformation.ListStacksOutput](t)(d.cfn().ListStacks(t.Context(), nil))
	must[sandbox.Fault](t)(d.s.AddFault(t.Context(), sandbox.Fault{Drop: "answer", Count: 1}))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url, strings.NewReader("Action=ListStacks"))
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Errorf("a dropped connection answered %s", res.Status)
		_ = res.Body.Close()
	}
	must[*cloudformation.ListStacksOutput](t)(d.cfn().ListStacks(t.Context(), nil))
	stop()
	if err := d.s.Serve(t.Context(), "0.0.0.0:0"); err == nil {
		t.Error("served everybody")
	}
}

// A client that hangs in the middle of its request holds nobody up.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	d, stop := served(t, sandbox.Options{})
	defer stop()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAction="); err != nil {
		t.Fatal(err)
	}
	must[*cloudformation.ListStacksOutput](t)(d.cfn().ListStacks(t.Context(), nil))
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// The AWS CLI, unmodified, where there is one.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts other programs")
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	d, stop := served(t, sandbox.Options{Speed: sandbox.MaxSpeed})
	defer stop()
	if out, err := awsCLI(t, path, d, "sts", "get-caller-identity", "--query", "Account", "--output", "text"); err != nil {
		t.Skipf("the AWS CLI does not run here: %v %s", err, out)
	} else if out != "123456789012" {
		t.Errorf("account %q", out)
	}
	if out, err := awsCLI(t, path, d, "cloudformation", "create-stack", "--stack-name", "cli", "--template-body", topicTemplate); err != nil {
		t.Fatal(out, err)
	}
	wantStatus(t, d, "cli", "CREATE_COMPLETE")
	out, err := awsCLI(t, path, d, "cloudformation", "describe-stacks", "--stack-name", "cli", "--query", "Stacks[0].Outputs[0].ExportName", "--output", "text")
	if err != nil || out != "topic" {
		t.Errorf("%q %v", out, err)
	}
	out, err = awsCLI(t, path, d, "cloudformation", "describe-stacks", "--stack-name", "nope")
	if err == nil || !strings.Contains(out, "(ValidationError) when calling the DescribeStacks operation: Stack with id nope does not exist") {
		t.Errorf("%q %v", out, err)
	}
}

func awsCLI(t *testing.T, path string, d door, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(args, "--endpoint-url", d.url, "--region", d.region)...)
	cmd.Env = append(cmd.Environ(), "AWS_ACCESS_KEY_ID=AKIATEST", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=/dev/null")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func BenchmarkDescribeStacks(b *testing.B) {
	for name, open := range map[string]func() sandbox.Store{
		"memory": func() sandbox.Store { return store.NewMemory() },
		"sqlite": func() sandbox.Store { return must[*store.SQLite](b)(store.Open(b.TempDir() + "/state.db")) },
	} {
		b.Run(name, func(b *testing.B) {
			d := inProcess(sandbox.Options{Store: open()})
			create(b, d, cloudformation.CreateStackInput{StackName: new("a"), TemplateBody: new(topicTemplate)})
			must[time.Time](b)(d.s.Advance(b.Context(), time.Hour))
			client := d.cfn()
			for b.Loop() {
				must[*cloudformation.DescribeStacksOutput](b)(client.DescribeStacks(b.Context(), &cloudformation.DescribeStacksInput{StackName: new("a")}))
			}
		})
	}
}
