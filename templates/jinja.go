package templates

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/jinja"
	"github.com/deployer-cli/deployer/stacks"
)

// rendered is what a template and its data give, whichever stack asked.
type rendered struct {
	text string
	late bool
}

// renderJinja is the format of .j2 templates: Jinja2 with sceptre_user_data as
// the only variable, under the group's j2_environment. Templates that it
// includes are looked for in its own directory, then in templates/.
func (l *Loader) renderJinja(_ context.Context, st *stacks.Stack, raw Raw, userData stacks.Value) (Body, error) {
	settings, where := settingsOf(st)
	env, err := l.environment(settings, path.Dir(raw.File))
	if err != nil {
		return Body{}, &stacks.Problem{Pos: where, What: "j2_environment", Why: err.Error()}
	}
	key := fmt.Sprintf("%s\x00%s\x00%x\x00%x", raw.File, settings, sha256.Sum256(raw.Text), fingerprint(userData))
	out, err := l.rendered.get(key, func() (rendered, error) {
		vars := jinja.NewDict()
		vars.Set("sceptre_user_data", toJinja(userData))
		text, late, err := env.RenderNoting(raw.File, string(raw.Text), vars)
		if err != nil && late {
			return rendered{late: true}, nil // a value that is known later may be what it stumbled over
		}
		return rendered{text, late}, err
	})
	if err != nil {
		return Body{}, renderProblem(st, raw, err)
	}
	if strings.TrimSpace(out.text) == "" && !out.late {
		return Body{}, problem(st, raw.File, "the template renders to nothing", "see what it gives with this stack's sceptre_user_data")
	}
	body := Body{Text: []byte(out.text), File: raw.File, Late: out.late, Secrets: secretsIn(out.text, userData)}
	if out.late {
		body.After, _ = userData.HasUnknown()
	}
	return body, nil
}

// settingsOf gives the group's j2_environment as JSON, which is a key to share
// environments by, and where it stands.
func settingsOf(st *stacks.Stack) (string, stacks.Pos) {
	v, ok := st.Group.Get("j2_environment")
	if !ok || v.Kind == stacks.Null {
		return "", stacks.Pos{}
	}
	text, err := json.Marshal(v.Plain())
	if err != nil {
		return "", v.Pos // only numbers such as .inf, which no setting takes
	}
	return string(text), v.Pos
}

// environment gives the Jinja environment of templates in the given directory.
// It is shared, since it keeps what it has parsed.
func (l *Loader) environment(settings, dir string) (*jinja.Environment, error) {
	return l.envs.get(dir+"\x00"+settings, func() (*jinja.Environment, error) {
		opts := jinja.Options{Loader: includes{l.files, dir}}
		if settings != "" {
			var given map[string]any
			if err := json.Unmarshal([]byte(settings), &given); err != nil {
				return nil, errors.New("it has to be a map of settings")
			}
			var err error
			if opts, err = opts.WithSettings(given); err != nil {
				return nil, err
			}
		}
		return jinja.New(opts), nil
	})
}

// includes finds what a template includes, imports or extends.
type includes struct {
	files *files
	dir   string
}

// Load gives the text of a template by the name that is written in another.
func (i includes) Load(name string) (string, error) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", fmt.Errorf("%s leads out of the template's directory: %w", name, fs.ErrNotExist)
	}
	for _, dir := range []string{i.dir, Folder} {
		full := path.Join(dir, name)
		if !fs.ValidPath(full) {
			continue
		}
		text, err := i.files.read(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		if text, err = decode(text); err != nil {
			return "", fmt.Errorf("%s: %w", full, err)
		}
		return string(text), nil
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// renderProblem places a template's error in the template, where it is to be
// mended, and names the stack whose data led to it.
func renderProblem(st *stacks.Stack, raw Raw, err error) error {
	je, ok := errors.AsType[*jinja.Error](err)
	if !ok {
		return problem(st, raw.File, err.Error(), "")
	}
	p := &stacks.Problem{
		Pos:  stacks.Pos{File: je.Template, Line: je.Line, Column: je.Column},
		What: "template of " + string(st.Path),
		Why:  je.Msg,
	}
	if je.Kind == jinja.KindUndefined {
		p.Tip = "a template sees sceptre_user_data only; see what " + st.File + " gives it"
	}
	return p
}

// secretsIn lists the secret values of the data that stand in a text, longest
// first, so that hiding one never leaves the rest of another to be seen.
func secretsIn(text string, data stacks.Value) []string {
	var found []string
	data.Walk(func(v stacks.Value) bool {
		if v.Secret {
			found = append(found, scalarsIn(text, v)...)
			return false
		}
		return true
	})
	slices.SortFunc(found, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(found)
}

func scalarsIn(text string, data stacks.Value) []string {
	var found []string
	data.Walk(func(v stacks.Value) bool {
		if v.IsScalar() && v.Text != "" && strings.Contains(text, v.Text) {
			found = append(found, v.Text)
		}
		return true
	})
	return found
}
