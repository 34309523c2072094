package config

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// groupFile is the file that holds a group's settings.
const groupFile = "config.yaml"

// maxLinks is how many linked folders may lie in each other before the walk
// takes it for a circle.
const maxLinks = 4

// tree is what lies under config/.
type tree struct {
	groups   []stacks.Path        // every folder, sorted
	stacks   []stacks.Path        // every stack file, sorted
	settings map[stacks.Path]bool // folders that have a group file
	files    map[stacks.Path]bool // stacks as a set
	problems []*stacks.Problem
	warnings []*stacks.Problem
}

// scan walks the config folder. Symbolic links are followed, as Sceptre does.
func scan(fsys fs.FS) (*tree, error) {
	info, err := fs.Stat(fsys, root)
	if err != nil {
		return nil, scanError(err)
	}
	if !info.IsDir() {
		return nil, scanError(fs.ErrNotExist)
	}
	t := &tree{settings: map[stacks.Path]bool{}, files: map[stacks.Path]bool{}}
	if err := t.folder(fsys, "", 0); err != nil {
		return nil, scanError(err)
	}
	slices.Sort(t.groups)
	slices.Sort(t.stacks)
	return t, nil
}

func (t *tree) folder(fsys fs.FS, dir stacks.Path, links int) error {
	entries, err := fs.ReadDir(fsys, path.Join(root, string(dir)))
	if err != nil {
		return err
	}
	t.groups = append(t.groups, dir)
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue // an editor's own files, .git and such
		}
		child := stacks.Path(path.Join(string(dir), name))
		isDir, linked := e.IsDir(), 0
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := fs.Stat(fsys, path.Join(root, string(child)))
			if err != nil {
				t.brokenLink(child, name, err)
				continue
			}
			isDir = info.IsDir()
			linked = 1
		}
		if !isDir {
			t.file(fsys, dir, name)
			continue
		}
		if links+linked > maxLinks {
			t.problem(child, "symbolic links go in a circle", "the folder leads back to one that holds it")
			continue
		}
		if err := t.folder(fsys, child, links+linked); err != nil {
			t.problem(child, "folder cannot be read", cause(err))
		}
	}
	return nil
}

// brokenLink reports a link that leads nowhere, if it would have mattered.
func (t *tree) brokenLink(child stacks.Path, name string, err error) {
	if ext := path.Ext(name); ext == ".yaml" || ext == "" {
		t.problem(child, "symbolic link cannot be followed", cause(err))
	}
}

func (t *tree) file(fsys fs.FS, dir stacks.Path, name string) {
	switch {
	case name == groupFile:
		t.settings[dir] = true
	case strings.HasPrefix(name, "config.") && strings.HasSuffix(name, ".yaml"):
		// Sceptre skips config.anything.yaml.
	case mistaken(name) && declares(fsys, configFile(dir, name)):
		t.problems = append(t.problems, &stacks.Problem{
			Pos:  stacks.Pos{File: configFile(dir, name)},
			What: "file is not read, and declares an environment",
			Why:  "what it protects would not be protected: only " + groupFile + " holds a group's settings",
			Tip:  "rename it to " + groupFile + ", or delete it",
		})
	case strings.HasSuffix(name, ".yml"):
		t.warnings = append(t.warnings, &stacks.Problem{
			Pos:  stacks.Pos{File: configFile(dir, name)},
			What: "file is not read",
			Why:  "only .yaml files are configs",
			Tip:  "rename it to " + strings.TrimSuffix(name, ".yml") + ".yaml",
		})
	case strings.HasSuffix(name, ".yaml"):
		p := stacks.Path(path.Join(string(dir), strings.TrimSuffix(name, ".yaml")))
		t.stacks = append(t.stacks, p)
		t.files[p] = true
	}
}

// mistaken tells whether a file is meant to be a group's, and is not read as that.
func mistaken(name string) bool {
	name = strings.ToLower(name)
	return name == groupFile || name == "config.yml"
}

// environmentOpens begins an environment block.
var environmentOpens = regexp.MustCompile(`(?im)^(?:\{\s*)?["']?environment["']?\s*:`)

// declares tells whether a file has an environment block, or cannot be read.
func declares(fsys fs.FS, file string) bool {
	text, err := fs.ReadFile(fsys, file)
	return err != nil || environmentOpens.Match(text)
}

func (t *tree) problem(child stacks.Path, what, why string) {
	t.problems = append(t.problems, &stacks.Problem{
		Pos:  stacks.Pos{File: path.Join(root, string(child))},
		What: what,
		Why:  why,
	})
}
