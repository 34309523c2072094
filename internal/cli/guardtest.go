package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/journal"
	"github.com/deployer-cli/deployer/internal/ui"
	"github.com/deployer-cli/deployer/stacks"
)

// trial is one thing that a guard has to refuse, tried in a project and a
// sandbox of its own.
type trial struct {
	rule   string
	what   string
	files  map[string]string // put over those of every trial; a text in <> replaces a part
	before []attempt         // what has to happen first, and has to go well
	then   map[string]string // put over the files after that
	try    attempt
	exit   int
}

// attempt is one command, at a terminal or not.
type attempt struct {
	args     string
	typed    string
	terminal bool
	vars     map[string]string
}

const (
	trialAccount = "123456789012"
	trialPhrase  = "prod 1 changes 0 deletes\n"
)

func trialFiles() map[string]string {
	return map[string]string{
		"config/config.yaml":      "project_code: trial\nproject_id: 0123456789abcdef\nregion: eu-west-1\n",
		"config/prod/config.yaml": block(""),
		"config/prod/queue.yaml":  "template: {type: file, path: queue.yaml}\n",
		"config/dev/config.yaml":  "environment: {class: development}\n",
		"config/dev/app.yaml":     "template: {type: file, path: queue.yaml}\ndependencies: [prod/queue.yaml]\n",
		"templates/queue.yaml":    "Resources:\n  Orders: {Type: \"AWS::SQS::Queue\"}\n",
	}
}

// block is prod's environment block with more in it.
func block(more string) string {
	return "environment:\n  class: production\n  accounts: [\"" + trialAccount + "\"]\n" + more
}

// trials are the refusals, rule by rule.
func trials() []trial {
	const prod = "config/prod/config.yaml"
	launch := attempt{args: "launch prod", typed: trialPhrase, terminal: true}
	launched := []attempt{launch}
	held := fmt.Sprintf(`{"environment":"prod","run":"another","command":"launch","owner":{"arn":"arn:aws:iam::%s:user/alice","account":"%s"},"host":"elsewhere","pid":1,"taken":"2026-01-01T00:00:00Z","beat":"2999-01-01T00:00:00Z"}`, trialAccount, trialAccount)
	return []trial{
		{rule: "P1", what: "a class that is misspelt", files: map[string]string{prod: "environment: {class: prodution}\n"}, try: launch, exit: exitUsage},
		{rule: "P1", what: "a class that a variable decides", files: map[string]string{prod: "environment:\n  class: {{ var.class }}\n"}, try: attempt{args: "launch prod --var class=development -y"}, exit: exitUsage},
		{rule: "P1", what: "a class weaker than the name", files: map[string]string{prod: "environment: {class: development}\n"}, try: attempt{args: "launch prod -y"}, exit: exitUsage},
		{rule: "P1", what: "no accounts for production", files: map[string]string{prod: "environment: {class: production}\n"}, try: launch, exit: exitUsage},
		{
			rule: "P1", what: "a class weaker than the live tags, and a delete in the same change", before: []attempt{{args: "launch shop", typed: "shop 1 changes 0 deletes\n", terminal: true}},
			files: map[string]string{"config/shop/config.yaml": block(""), "config/shop/queue.yaml": "template: {type: file, path: queue.yaml}\n"},
			then:  map[string]string{"config/shop/config.yaml": "environment: {class: development}\n"},
			try:   attempt{args: "delete shop -y"}, exit: exitRefused,
		},
		{
			rule: "P1", what: "a stack of dev that has the name of one of production", before: launched,
			then: map[string]string{"config/dev/app.yaml": "template: {type: file, path: queue.yaml}\nstack_name: trial-prod-queue\n"},
			try:  attempt{args: "launch dev --yes"}, exit: exitUsage,
		},
		{rule: "P2", what: "credentials of another account", try: attempt{args: "launch prod", typed: trialPhrase, terminal: true, vars: map[string]string{"DEPLOYER_SANDBOX_ACCOUNT": "999999999999"}}, exit: exitStale},
		{rule: "P2", what: "a region that is not in the list", files: map[string]string{prod: block("  regions: [us-east-1]\n")}, try: launch, exit: exitStale},
		{rule: "P4", what: "--yes", try: attempt{args: "launch prod --yes"}, exit: exitUnconfirmed},
		{rule: "P4", what: "a y at a terminal", try: attempt{args: "launch prod", typed: "y\n", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "the phrase of another plan", try: attempt{args: "launch prod", typed: "prod 2 changes 0 deletes\n", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "the end of the input", try: attempt{args: "launch prod", terminal: true}, exit: exitUnconfirmed},
		{rule: "P4", what: "production reached as a dependency of dev", try: attempt{args: "launch dev --yes"}, exit: exitUnconfirmed},
		{rule: "P5", what: "a pipe of yes", try: attempt{args: "launch prod", typed: strings.Repeat("yes\n", 50)}, exit: exitUnconfirmed},
		{rule: "P5", what: "the right phrase from a pipe", try: attempt{args: "launch prod", typed: trialPhrase}, exit: exitUnconfirmed},
		{rule: "P6", what: "approvals that one machine keeps", files: map[string]string{prod: block("  guard: {approvals: 1}\n")}, try: launch, exit: exitUsage},
		{rule: "P6", what: "no plan to approve, where approvals are needed", files: map[string]string{prod: block("  state: {bucket: trial-state}\n  guard: {approvals: 1, approvers: [\"*\"]}\n")}, try: launch, exit: exitUnconfirmed},
		{rule: "P7", what: "a freeze", files: map[string]string{prod: block("  guard: {freeze: [\"2000-01-01/2999-01-01\"]}\n")}, try: launch, exit: exitRefused},
		{rule: "P7", what: "a freeze that cannot be read", files: map[string]string{prod: block("  guard: {freeze: [\"soon/later\"]}\n")}, try: launch, exit: exitUsage},
		{rule: "P9", what: "a delete without a plan", before: launched, try: attempt{args: "delete prod", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused},
		{rule: "P9", what: "a delete by --yes", before: launched, try: attempt{args: "delete prod --yes"}, exit: exitRefused},
		{rule: "P9", what: "a delete of what was released, without a plan", before: append(slices.Clone(launched), attempt{args: "guard release prod --reason test", typed: trialPhrase, terminal: true}), try: attempt{args: "delete prod/queue --ignore-dependencies", typed: "prod 1 changes 1 deletes\n", terminal: true}, exit: exitRefused},
		{
			rule: "P9", what: "a release of a stack whose live tags are another project's", before: launched,
			then: map[string]string{"config/config.yaml": "project_code: trial\nproject_id: fedcba9876543210\nregion: eu-west-1\n"},
			try:  attempt{args: "guard release prod/queue --reason test", typed: trialPhrase, terminal: true}, exit: exitRefused,
		},
		{
			rule: "P9", what: "production reached as a dependent of a delete of dev", before: append(slices.Clone(launched), attempt{args: "launch dev --yes"}),
			files: map[string]string{"config/dev/app.yaml": "template: {type: file, path: queue.yaml}\n"},
			then:  map[string]string{"config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\ndependencies: [dev/app.yaml]\n"},
			try:   attempt{args: "delete dev --yes"}, exit: exitRefused,
		},
		{rule: "P10", what: "no lease, where one is needed", files: map[string]string{prod: block("  guard: {lease: {required: true}}\n")}, try: launch, exit: exitRefused},
		{rule: "P11", what: "a bucket that cannot be written", files: map[string]string{prod: block("  state: {bucket: no-such-bucket}\n")}, try: attempt{args: "launch prod", typed: trialPhrase, terminal: true, vars: map[string]string{"DEPLOYER_SANDBOX_STUBS": "0"}}, exit: exitRefused},
		{rule: "P12", what: "an environment that somebody else is changing", files: map[string]string{".deployer/sandbox/state/locks/prod.json": held}, try: launch, exit: exitLocked},
		{rule: "P12", what: "a lock that cannot be read", files: map[string]string{".deployer/sandbox/state/locks/prod.json": "{"}, try: launch, exit: exitLocked},
		{rule: "", what: "protect: true", files: map[string]string{"config/prod/queue.yaml": "template: {type: file, path: queue.yaml}\nprotect: true\n"}, try: launch, exit: exitRefused},
	}
}

// verdict is how a trial went.
type verdict struct {
	Rule   string `json:"rule"`
	What   string `json:"what"`
	Exit   int    `json:"exit"`
	Writes int    `json:"writes"`
	OK     bool   `json:"ok"`
	Says   string `json:"says"`
}

// guardTest tries every refusal and prints the table. One that lets anything
// through is exit 1.
func (a *app) guardTest() error {
	dir, err := os.MkdirTemp("", "deployer-guard-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	verdicts := make([]verdict, 0, len(trials()))
	bad := 0
	for i, t := range trials() {
		v, err := a.attempt(filepath.Join(dir, strconv.Itoa(i)), t)
		if err != nil {
			return err
		}
		if !v.OK {
			bad++
		}
		verdicts = append(verdicts, v)
	}
	if done, err := a.document(verdicts); done {
		if err == nil && bad > 0 {
			err = &exitError{exitFailed}
		}
		return err
	}
	rows := make([][]string, 0, len(verdicts))
	for _, v := range verdicts {
		mark := "refused"
		if !v.OK {
			mark = "NOT REFUSED"
		}
		rows = append(rows, []string{v.Rule, v.What, mark, strconv.Itoa(v.Exit), strconv.Itoa(v.Writes)})
	}
	ui.Table(a.env.Stdout, []string{"rule", "tried", "", "exit", "writes"}, rows)
	if bad > 0 {
		return &exitError{exitFailed}
	}
	fmt.Fprintf(a.env.Stdout, "\n%s\n", a.out.Good(fmt.Sprintf("%d tried, all refused, nothing was changed", len(verdicts))))
	return nil
}

// attempt makes the trial's project and tries it there.
func (a *app) attempt(dir string, t trial) (verdict, error) {
	files := trialFiles()
	maps.Copy(files, t.files)
	if err := layOut(dir, files); err != nil {
		return verdict{}, err
	}
	for _, b := range t.before {
		if code, said := a.inside(dir, b); code != exitOK {
			return verdict{}, fmt.Errorf("preparing %q: deployer %s ended with %d:\n%s", t.what, b.args, code, said)
		}
	}
	if err := layOut(dir, t.then); err != nil {
		return verdict{}, err
	}
	before, err := written(dir)
	if err != nil {
		return verdict{}, err
	}
	code, said := a.inside(dir, t.try)
	after, err := written(dir)
	if err != nil {
		return verdict{}, err
	}
	v := verdict{Rule: t.rule, What: t.what, Exit: code, Writes: after - before, Says: errorLine(said)}
	v.OK = code == t.exit && v.Writes == 0
	return v, nil
}

func errorLine(said string) string {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "error:") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func layOut(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// inside runs a command in a process's place: nothing of the real environment
// gets in, and nothing but the sandbox is called.
func (a *app) inside(dir string, t attempt) (code int, said string) {
	vars := map[string]string{"DEPLOYER_SANDBOX_SPEED": "max", "DEPLOYER_SANDBOX_STUBS": "1", "NO_COLOR": "1", "TERM": "dumb", "HOME": dir}
	maps.Copy(vars, t.vars)
	var out, talk bytes.Buffer
	code = Main(Env{
		Args: append([]string{"deployer", "--sandbox"}, strings.Fields(t.args)...), Stdin: strings.NewReader(t.typed), Stdout: &out, Stderr: &talk,
		Environ: vars, Dir: dir, Now: time.Now, StdinTerminal: t.terminal, StderrTerminal: t.terminal, StdoutTerminal: t.terminal,
		Executable: a.env.Executable,
	})
	return code, out.String() + talk.String()
}

// written counts the calls that change something, by what the journals of a
// project announce: none is made that was not announced. Change sets that were
// only looked at change nothing.
func written(dir string) (int, error) {
	journals := filepath.Join(dir, ".deployer", "sandbox", "journal")
	runs, err := journal.Runs(journals)
	if err != nil {
		return 0, err
	}
	n := 0
	var errs []error
	for _, r := range runs {
		for e, err := range journal.Entries(journals, r.Run) {
			errs = append(errs, err)
			if e.Intent == nil {
				continue
			}
			switch e.Intent.Verb {
			case stacks.Propose, stacks.Discard, stacks.Upload:
			default:
				n++
			}
		}
	}
	return n, errors.Join(errs...)
}
