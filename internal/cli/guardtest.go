package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/ui"
)

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
		if code, said := a.inside(dir, b, nil); code != b.exit {
			return verdict{}, fmt.Errorf("preparing %q: deployer %s ended with %d:\n%s", t.what, b.args, code, said)
		}
	}
	if err := errors.Join(layOut(dir, t.then), t.edit.in(dir)); err != nil {
		return verdict{}, err
	}
	if t.reseal {
		if err := reseal(filepath.Join(dir, trialPlan)); err != nil {
			return verdict{}, err
		}
	}
	record := &callRecord{}
	code, said := a.inside(dir, t.try, record)
	v := verdict{Rule: t.rule, What: t.what, Exit: code, Writes: len(record.made()), Says: errorLine(said)}
	v.OK = code == t.exit && v.Writes == 0 && v.Says != ""
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

// digestIn is the digest of the plan file that a trial made, "" without one.
func digestIn(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, trialPlan))
	var file struct{ Digest string }
	if err != nil || json.Unmarshal(text, &file) != nil {
		return ""
	}
	return file.Digest
}

// edit replaces a part of a file.
type edit struct{ file, old, with string }

func (e edit) in(dir string) error {
	if e.file == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.file)))
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), e.old) {
		return fmt.Errorf("%s does not hold %q", e.file, e.old)
	}
	return layOut(dir, map[string]string{e.file: strings.Replace(string(text), e.old, e.with, 1)})
}

// reseal gives a plan file that was edited a digest that fits.
func reseal(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var f plan.File
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	if err := f.Seal(); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return err
	}
	return os.WriteFile(name, out.Bytes(), 0o600)
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
func (a *app) inside(dir string, t attempt, record *callRecord) (code int, said string) {
	vars := map[string]string{"DEPLOYER_SANDBOX_SPEED": "max", "DEPLOYER_SANDBOX_STUBS": "1", "NO_COLOR": "1", "TERM": "dumb", "HOME": dir}
	maps.Copy(vars, t.vars)
	var out, talk bytes.Buffer
	code = Main(Env{
		Args: append([]string{"deployer", "--sandbox"}, strings.Fields(strings.ReplaceAll(t.args, "$DIGEST", digestIn(dir)))...), Stdin: strings.NewReader(t.typed), Stdout: &out, Stderr: &talk,
		Environ: vars, Dir: dir, Now: time.Now, StdinTerminal: t.terminal, StderrTerminal: t.terminal, StdoutTerminal: t.terminal,
		Executable: a.env.Executable, Before: record.over,
	})
	return code, out.String() + talk.String()
}
