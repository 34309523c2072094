package handler

import (
	"context"
	"crypto/sha256"
	_ "embed" // the program that runs templates
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

//go:embed template.py
var pythonMain string

// pythonAnswer is what template.py says.
type pythonAnswer struct {
	Body  string
	Error *pythonError
}

type pythonError struct {
	Type, Text, File, Module string
	Line                     int
	Frames                   []string
}

// python runs a template's sceptre_handler. A template that fails while some of
// its data is not known yet is itself known later.
func (h *Handlers) python(ctx context.Context, st *stacks.Stack, raw templates.Raw, userData stacks.Value) (templates.Body, error) {
	if userData.Kind == stacks.Null {
		userData = stacks.Value{Kind: stacks.Map}
	}
	after, late := userData.HasUnknown()
	data := templates.JSON(userData)
	key := fmt.Sprintf("%s%s\x00%x\x00%x", access(st.Access), raw.File, sha256.Sum256(raw.Text), sha256.Sum256(data))
	text, err := h.texts.get(ctx, key, func() ([]byte, error) { return h.runPython(ctx, st, raw, data) })
	if err != nil && late && ctx.Err() == nil {
		return templates.Body{}, &templates.LaterError{Why: err.Error()}
	}
	if err != nil {
		return templates.Body{}, err
	}
	return templates.Body{Text: text, File: raw.File, Late: late, After: after}, nil
}

func (h *Handlers) runPython(ctx context.Context, st *stacks.Stack, raw templates.Raw, data []byte) ([]byte, error) {
	file := raw.File
	var paths []string
	if !strings.Contains(raw.File, "://") {
		if file = filepath.FromSlash(raw.File); !filepath.IsAbs(file) {
			file = filepath.Join(h.ports.Project, file)
		}
		paths = h.searchPath(filepath.Dir(file))
	}
	request, err := json.Marshal(map[string]any{
		"source": string(raw.Text), "file": file, "paths": append([]string{}, paths...), "data": json.RawMessage(finite(data)),
	})
	if err != nil {
		return nil, problem(st, raw.File, err.Error(), "")
	}
	out, err := h.ports.Runner.Answer(ctx, st.Access, []string{"python3", "-c", pythonMain}, request)
	if _, none := errors.AsType[*program.NotFoundError](err); none {
		return nil, problem(st, raw.File, "it is written in Python, and there is no python3 on the path", "install Python 3, or write the template as .yaml or .j2")
	}
	if err != nil {
		return nil, failed(ctx, st, raw.File, err)
	}
	var a pythonAnswer
	if err := json.Unmarshal(out, &a); err != nil {
		return nil, problem(st, raw.File, "Python gave no answer", "")
	}
	if a.Error != nil {
		return nil, h.pythonProblem(st, raw, a.Error)
	}
	return []byte(a.Body), nil
}

// finite takes numbers out that JSON does not have; Python would read them, our
// encoder does not write them.
func finite(data []byte) []byte {
	if json.Valid(data) {
		return data
	}
	for _, word := range []string{"-Infinity", "Infinity", "NaN"} {
		data = []byte(strings.ReplaceAll(string(data), ":"+word, `:"`+word+`"`))
	}
	return data
}

// searchPath gives every folder between where the user is, or else the project,
// and the template's own, as Sceptre does.
func (h *Handlers) searchPath(folder string) []string {
	for _, base := range []string{h.ports.Dir, h.ports.Project} {
		rel, err := filepath.Rel(base, folder)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		var out []string
		for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
			base = filepath.Join(base, part)
			out = append(out, base)
		}
		return out
	}
	return []string{folder}
}

// pythonProblem places a traceback in the template, and says what is missing.
func (h *Handlers) pythonProblem(st *stacks.Stack, raw templates.Raw, e *pythonError) error {
	p := problem(st, raw.File, e.Text, "")
	if e.Type != "" {
		p.Why = e.Type + ": " + e.Text
	}
	if e.Line > 0 {
		p.Pos = stacks.Pos{File: h.short(e.File), Line: e.Line, Column: 1}
		p.What = "template of " + string(st.Path)
	}
	if e.Module != "" && e.Type == "ModuleNotFoundError" {
		p.Why = "there is no Python module " + e.Module
		p.Tip = "install it where python3 finds it, such as: python3 -m pip install " + strings.SplitN(e.Module, ".", 2)[0]
		return p
	}
	frames := make([]string, 0, len(e.Frames))
	for _, f := range e.Frames {
		frames = append(frames, h.short(f))
	}
	if len(frames) > 1 {
		p.Tip = "called from " + strings.Join(frames, ", then ")
	}
	return p
}

// short tells a file as it is in the project.
func (h *Handlers) short(file string) string {
	return strings.TrimPrefix(file, h.ports.Project+string(filepath.Separator))
}
