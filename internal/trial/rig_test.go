package trial_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
	"github.com/deployer-cli/deployer/stacks"
)

// rig is a project with its embedded sandbox, in which processes die.
type rig struct {
	dir    string
	ids    map[string]string // of the stacks as they were made, by name below dev/
	digest string            // of the plan in b.plan
	beside string            // the file to count calls in, for a process beside others
}

type (
	stackNow  = types.Stack
	stackPath = stacks.Path
)

// soon is how long a run may take: at the rig's speed it is hours.
const soon = 3 * time.Minute

// bystander is a stack that no break is about.
const bystander = "by"

// journals are where a break's journal is.
const journals = ".deployer/sandbox/journal/breaks/dev/*.jsonl"

// watcher is the same rig, for a process beside others.
func (g *rig) watcher() *rig { return &rig{dir: g.dir, beside: "beside"} }

// run runs the program until it ends or the blow falls.
func (g *rig) run(ctx context.Context, b blow, typed string, args ...string) (ran, error) {
	exe, err := os.Executable()
	if err != nil {
		return ran{}, err
	}
	fate, err := json.Marshal(doom{Blow: b, Record: filepath.Join(g.dir, "calls"), Ticks: g.ticking(), Journal: filepath.Join(g.dir, journals)})
	if err != nil {
		return ran{}, err
	}
	if err := os.WriteFile(g.ticking(), nil, 0o600); err != nil {
		return ran{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	var out, talk bytes.Buffer
	cmd := exec.CommandContext(ctx, exe)
	cmd.Args, cmd.Dir, cmd.Stdout, cmd.Stderr = append([]string{"deployer"}, args...), g.dir, &out, &talk
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir, "NO_COLOR=1", "TERM=dumb", "DEPLOYER_SANDBOX=1", "DEPLOYER_SANDBOX_SPEED=200",
		varDoom + "=" + string(fate),
	}
	if typed != "" {
		cmd.Env = append(cmd.Env, varTerminal+"=1")
		cmd.Stdin = strings.NewReader(typed)
	}
	err = cmd.Run()
	r := ran{exit: cmd.ProcessState.ExitCode(), calls: g.ticks(), stdout: out.String(), stderr: talk.String()}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return r, err
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		if r.killed = b != (blow{}) && ctx.Err() == nil; !r.killed {
			return r, fmt.Errorf("%s: it does not end\n%s%s", strings.Join(args, " "), last(r.stdout), r.stderr)
		}
	}
	if strings.Contains(r.stderr, "WARNING: DATA RACE") || strings.Contains(r.stderr, "panic: ") {
		return r, fmt.Errorf("%s: %s", strings.Join(args, " "), r.stderr)
	}
	return r, nil
}

// expect runs the program undisturbed; it has to end with one of the codes.
func (g *rig) expect(ctx context.Context, codes []int, args ...string) (ran, error) {
	r, err := g.run(ctx, blow{}, "", args...)
	for _, code := range codes {
		if err == nil && r.exit == code {
			return r, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("%s: exit %d, not %v\n%s%s", strings.Join(args, " "), r.exit, codes, r.stdout, r.stderr)
	}
	return r, err
}

func (g *rig) ticking() string { return filepath.Join(g.dir, cmp.Or(g.beside, "ticks")) }

// lines counts the journal's.
func (g *rig) lines() int {
	e := &executioner{doom: doom{Journal: filepath.Join(g.dir, journals)}}
	return e.lines()
}

// ticks counts the calls of the last run.
func (g *rig) ticks() int {
	info, err := os.Stat(g.ticking())
	if err != nil {
		return 0
	}
	return int(info.Size())
}

// cut takes the journal back to where it was when the line was the last, or the
// half of it: since then nothing was asked of AWS, or the blow would have fallen
// before. It tells whether there was that much.
func (g *rig) cut(b blow) (bool, error) {
	files, err := filepath.Glob(filepath.Join(g.dir, journals))
	if err != nil || len(files) != 1 {
		return false, err
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return false, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) <= b.line {
		return false, nil
	}
	kept := bytes.Join(lines[:b.line], nil)
	if b.torn {
		kept = kept[:len(kept)-len(lines[b.line-1])/2]
	}
	if err := unkept(strings.TrimSuffix(files[0], filepath.Ext(files[0])), kept); err != nil {
		return false, err
	}
	return true, os.WriteFile(files[0], kept, 0o600)
}

// unkept removes the documents beside a journal that were written after its end: those
// whose hash it does not hold, and the one that says that it goes as far as the
// clearance.
func unkept(dir string, journal []byte) error {
	docs, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	whole := journal[:bytes.LastIndexByte(journal, '\n')+1]
	for _, d := range docs {
		name := filepath.Join(dir, d.Name())
		text, failed := os.ReadFile(name)
		if failed != nil {
			return failed
		}
		sum := sha256.Sum256(text)
		if bytes.Contains(whole, []byte(hex.EncodeToString(sum[:]))) || d.Name() == "cleared" && bytes.Contains(whole, []byte(`"kind":"clearance"`)) {
			continue
		}
		if err = os.Remove(name); err != nil {
			return err
		}
	}
	if docs, err = os.ReadDir(dir); err == nil && len(docs) == 0 {
		err = os.Remove(dir)
	}
	return err
}

// calls reads what the sandbox was asked for that changes something.
func (g *rig) calls() ([]wroteCall, error) {
	text, err := os.ReadFile(filepath.Join(g.dir, "calls"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []wroteCall
	for line := range strings.Lines(string(text)) {
		var c wroteCall
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, err
}

// live are the stacks that exist, by their names below dev/.
func (g *rig) live(ctx context.Context) (map[string]stackNow, error) {
	db, err := store.Open(filepath.Join(g.dir, ".deployer", "sandbox", "state.db"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	client := cloudformation.New(cloudformation.Options{
		Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("sandbox", "sandbox", ""),
		HTTPClient: sandbox.New(sandbox.Options{Store: db, Speed: sandbox.KeepSpeed}).Client(), BaseEndpoint: new(sandbox.Endpoint),
	})
	out := map[string]stackNow{}
	pages := cloudformation.NewDescribeStacksPaginator(client, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Stacks {
			out[strings.TrimPrefix(aws.ToString(s.StackName), "many-dev-")] = s
		}
	}
	return out, nil
}

// prepared are rigs that cases begin with, by what they are made of.
type prepared struct {
	mu   sync.Mutex
	rigs map[string]*rig
	dirs []string
}

// remove removes what all cases began with.
func (p *prepared) remove() {
	for _, dir := range p.dirs {
		_ = os.RemoveAll(dir) // the system does, else
	}
}

// rig makes a copy of the prepared rig of a case, in which everything lives and
// the break is planned.
func (p *prepared) rig(t testing.TB, w wreck, dir string) (*rig, error) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	name := fmt.Sprint(w.needs, w.bucket)
	g := p.rigs[name]
	if g == nil {
		shared, err := os.MkdirTemp("", "rig") //nolint:usetesting // several tests begin with it: TestMain removes it
		if err != nil {
			return nil, err
		}
		p.dirs = append(p.dirs, shared)
		g = &rig{dir: shared}
		if err := w.prepare(t, g); err != nil {
			return nil, fmt.Errorf("before: %w", err)
		}
		if p.rigs == nil {
			p.rigs = map[string]*rig{}
		}
		p.rigs[name] = g
	}
	return &rig{dir: dir, ids: g.ids, digest: g.digest}, os.CopyFS(dir, os.DirFS(g.dir))
}

// prepare writes the project, launches it and plans the break.
func (w wreck) prepare(t testing.TB, g *rig) error {
	t.Helper()
	state := ""
	write(t, g.dir, "config/config.yaml", "project_code: many\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	if w.bucket {
		state = "\n  state: {bucket: records}"
		write(t, g.dir, "seed.yaml", "buckets: [records]\n")
		if _, err := g.expect(t.Context(), []int{0}, "sandbox", "seed", "seed.yaml"); err != nil {
			return err
		}
	}
	write(t, g.dir, "config/dev/config.yaml", "environment:\n  class: development\n  break: {allow: true, max_targets: 9, rto: 240h}"+state+"\n")
	names := []string{bystander}
	tops := []string{}
	for i := range w.needs {
		names = append(names, stack(i))
		if len(w.needs[i]) == 0 {
			tops = append(tops, "dev/"+stack(i))
		}
		write(t, g.dir, "templates/"+stack(i)+".yaml", w.template(i))
		write(t, g.dir, "config/dev/"+stack(i)+".yaml", "template: {path: "+stack(i)+".yaml, type: file}\nparameters: {Note: n"+stack(i)+"}\n")
	}
	write(t, g.dir, "templates/by.yaml", "Resources: {It: {Type: AWS::SNS::Topic}}\n")
	write(t, g.dir, "config/dev/by.yaml", "template: {path: by.yaml, type: file}\n")
	if _, err := g.expect(t.Context(), []int{0}, "launch", "dev", "-y"); err != nil {
		return err
	}
	if _, err := g.expect(t.Context(), []int{0}, append([]string{"break", "plan", "--out", "b.plan"}, tops...)...); err != nil {
		return err
	}
	var plan struct{ Digest string }
	text, err := os.ReadFile(filepath.Join(g.dir, "b.plan"))
	if err == nil {
		err = json.Unmarshal(text, &plan)
	}
	if err != nil {
		return err
	}
	g.digest, g.ids = plan.Digest, map[string]string{}
	live, err := g.live(t.Context())
	for _, name := range names {
		s, ok := live[name]
		if !ok && err == nil {
			err = fmt.Errorf("%s was not made", name)
		}
		g.ids[name] = aws.ToString(s.StackId)
	}
	return errors.Join(err, os.Remove(filepath.Join(g.dir, "calls")))
}

// template is that of the stack of that number: it imports from those it needs.
func (w wreck) template(i int) string {
	var tags strings.Builder
	for _, need := range w.needs[i] {
		fmt.Fprintf(&tags, ", {Key: from%d, Value: {'Fn::ImportValue': many-dev-s%d-Arn}}", need, need)
	}
	return "Parameters: {Note: {Type: String}}\nResources:\n  It: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: note, Value: !Ref Note}" + tags.String() +
		"]}}\nOutputs: {Arn: {Value: !GetAtt It.Arn, Export: {Name: many-dev-" + stack(i) + "-Arn}}}\n"
}
