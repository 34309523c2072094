package templates

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deployer-cli/deployer/internal/spell"
	"github.com/deployer-cli/deployer/stacks"
)

// files reads each file of a project once.
type files struct {
	fsys  fs.FS
	texts cache[string, []byte]
}

func (f *files) read(name string) ([]byte, error) {
	return f.texts.get(name, func() ([]byte, error) { return fs.ReadFile(f.fsys, name) })
}

// fetchFile gets a template that stands in the project. Its path is relative to
// templates/, as in Sceptre, and may lead out of there but not out of the
// project.
func (l *Loader) fetchFile(_ context.Context, st *stacks.Stack) (Raw, error) {
	given := strings.ReplaceAll(st.Template.Path, `\`, "/")
	if given == "" {
		return Raw{}, &stacks.Problem{Pos: st.Template.Pos, What: "template", Why: "no path is given", Tip: "write template: {path: network.yaml}"}
	}
	name := path.Join(Folder, given)
	if outside := path.IsAbs(given) || driveLetter(given) || !fs.ValidPath(name); outside && l.outside != nil {
		return l.fetchOutside(st, given)
	} else if outside {
		return Raw{}, problem(st, given, "the path leads out of the project", "a path is relative to "+Folder+"/")
	}
	text, err := l.files.read(name)
	if err != nil {
		return Raw{}, l.unreadable(st, name, err)
	}
	return Raw{Name: path.Base(name), File: name, Text: text}, nil
}

// fetchOutside gets a template that stands elsewhere, as Sceptre allows.
func (l *Loader) fetchOutside(st *stacks.Stack, given string) (Raw, error) {
	name := given
	if !path.IsAbs(given) && !driveLetter(given) {
		name = path.Join(Folder, given)
	}
	text, err := l.outside(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Raw{}, problem(st, name, "the file does not exist", "a path is relative to "+Folder+"/")
	}
	if err != nil {
		return Raw{}, problem(st, name, "it cannot be read: "+err.Error(), "")
	}
	return Raw{Name: path.Base(name), File: name, Text: text}, nil
}

// driveLetter tells whether a path is absolute on Windows, on any system.
func driveLetter(p string) bool { return len(p) > 1 && p[1] == ':' }

// unreadable says why a file cannot be read, and which one may be meant.
func (l *Loader) unreadable(st *stacks.Stack, name string, err error) error {
	if info, statErr := fs.Stat(l.files.fsys, name); statErr == nil && info.IsDir() {
		return problem(st, name, "it is a directory, not a file", "")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathErr.Err
		}
		return problem(st, name, "it cannot be read: "+err.Error(), "")
	}
	return problem(st, name, "the file does not exist", l.whichOne(name))
}

// whichOne looks for the file that a wrong name may mean: another ending, or a
// slip of the pen.
func (l *Loader) whichOne(name string) string {
	entries, err := fs.ReadDir(l.files.fsys, path.Dir(name))
	if err != nil {
		return ""
	}
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if strings.TrimSuffix(e.Name(), path.Ext(e.Name())) == stem {
			return "there is a " + path.Join(path.Dir(name), e.Name())
		}
		names = append(names, e.Name())
	}
	if near, ok := nearest(path.Base(name), names...); ok {
		return "did you mean " + path.Join(path.Dir(name), near)
	}
	return ""
}

// decode drops a byte order mark and refuses what is not UTF-8.
func decode(text []byte) ([]byte, error) {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return nil, errors.New("the text is UTF-16")
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	return text, nil
}

// nearest gives the candidate that takes the fewest edits to become name, if
// they are few for its length.
func nearest(name string, candidates ...string) (string, bool) {
	return spell.NearestFold(name, max(1, (len(name)+2)/3), slices.Values(candidates))
}
