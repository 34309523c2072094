package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/deployer-cli/deployer/internal/cfnyaml"
	"github.com/deployer-cli/deployer/internal/guard"
	"github.com/deployer-cli/deployer/internal/ui"
)

// newCommand makes an empty project, or a group in one.
func (a *app) newCommand() *cli.Command {
	common := []cli.Flag{
		&cli.StringFlag{Name: "project-code", Usage: "the `CODE` that the names of stacks begin with"},
		&cli.StringFlag{Name: "region", Usage: "the AWS `REGION` of its stacks (default: AWS_REGION or AWS_DEFAULT_REGION)"},
	}
	return &cli.Command{
		Name: "new", Usage: "make an empty project or a group",
		Subcommands: []*cli.Command{
			{
				Name: "project", Usage: "make an empty project; init makes one with stacks", ArgsUsage: "NAME",
				Description: "What is not given by flags is asked for at a terminal.",
				Flags:       common,
				Action:      a.newProject,
			},
			{
				Name: "group", Usage: "make a group of stacks in the project", ArgsUsage: "GROUP",
				Description: "Its config.yaml holds only what differs from the groups above it; where nothing does\nthere is none. What is not given by flags is asked for at a terminal.",
				Flags: append(common,
					&cli.StringFlag{Name: "class", Usage: "make it an environment of this `CLASS`: development, persistent or production"},
					&cli.StringSliceFlag{Name: "account", Usage: "the `ACCOUNT` the environment is bound to; may be given again; production needs one"},
				),
				Action: a.newGroup,
			},
		},
	}
}

// Forms of what new writes. CloudFormation wants a letter first in the names of
// stacks, which begin with the project code.
var (
	codeForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	groupForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
)

func (a *app) newProject(c *cli.Context) error {
	name, err := a.path(c, true)
	if err != nil {
		return err
	}
	dir := a.abs(name)
	if _, err := os.Lstat(dir); err == nil {
		return &usageError{fmt.Sprintf("%s exists already", name), "new project only makes a new folder"}
	}
	code := filepath.Base(dir)
	if !codeForm.MatchString(code) {
		code = ""
	}
	keys, err := a.answers(c, map[string]string{"project_code": code, "region": a.region()})
	if err != nil {
		return err
	}
	id, err := newProjectID()
	if err != nil {
		return err
	}
	keys["project_id"] = id
	text, err := cfnyaml.Marshal(keys)
	if err != nil {
		return err
	}
	for _, folder := range []string{"config", "templates"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil { //nolint:gosec // a project is for the team to read
			return &usageError{fmt.Sprintf("%s cannot be made: %v", name, pathless(err)), ""}
		}
	}
	if err := writeFile(filepath.Join(dir, "config", "config.yaml"), text); err != nil {
		return &usageError{fmt.Sprintf("%s cannot be written: %v", name, pathless(err)), ""}
	}
	return a.made(path.Join(filepath.ToSlash(name), "config/config.yaml"))
}

// made tells what was written.
func (a *app) made(files ...string) error {
	if done, err := a.document(map[string]any{"made": files}); done {
		return err
	}
	for _, f := range files {
		fmt.Fprintln(a.env.Stdout, f)
	}
	return nil
}

func (a *app) region() string {
	return cmp.Or(a.env.Environ["AWS_REGION"], a.env.Environ["AWS_DEFAULT_REGION"])
}

// answers takes project code and region from the flags, else from a person,
// else from the defaults.
func (a *app) answers(c *cli.Context, defaults map[string]string) (map[string]any, error) {
	out := map[string]any{}
	for _, q := range []struct {
		key, flag string
		form      *regexp.Regexp
	}{{"project_code", "project-code", codeForm}, {"region", "region", regionForm}} {
		text := c.String(q.flag)
		if !c.IsSet(q.flag) {
			var err error
			if text, err = a.askFor(c.Context, q.key, defaults[q.key]); err != nil {
				return nil, err
			}
		}
		if !q.form.MatchString(text) {
			what := fmt.Sprintf("%q is no %s", text, strings.ReplaceAll(q.key, "_", " "))
			if text == "" {
				what = "no " + strings.ReplaceAll(q.key, "_", " ") + " was given"
			}
			return nil, &usageError{what, "give it with --" + q.flag}
		}
		out[q.key] = text
	}
	return out, nil
}

// askFor asks a person for a text, and takes what stands there already for an
// empty answer. Without a person it takes it at once.
func (a *app) askFor(ctx context.Context, what, standing string) (string, error) {
	if !a.env.person() || a.globals.output != "text" {
		return standing, nil
	}
	if a.prompter == nil {
		a.prompter = ui.NewPrompter(a.talk(), a.env.Stdin, a.err)
	}
	text, err := a.prompter.Ask(ctx, guard.Question{Text: fmt.Sprintf("%s [%s]", what, standing), Want: "a text"})
	if errors.Is(err, ui.ErrNoAnswer) {
		return "", &usageError{"nothing was made: the input ended", ""}
	}
	return cmp.Or(strings.TrimSpace(text), standing), err
}

func (a *app) newGroup(c *cli.Context) error {
	name, err := a.path(c, true)
	if err != nil {
		return err
	}
	group := strings.Trim(strings.TrimPrefix(path.Clean(filepath.ToSlash(name)), "config/"), "/")
	for part := range strings.SplitSeq(group, "/") {
		if !groupForm.MatchString(part) || strings.HasSuffix(part, ".yaml") {
			return &usageError{fmt.Sprintf("%q is no name for a group", name), "such as dev, or dev/eu: letters, digits, dash, dot and underscore"}
		}
	}
	block, err := environmentBlock(c)
	if err != nil {
		return err
	}
	root, err := a.openRoot()
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is lost
	file := path.Join("config", group, "config.yaml")
	if _, err := root.Lstat(file); err == nil {
		return &usageError{file + " exists already", "edit it, or make another group"}
	}
	standing := inherited(root, group)
	keys, err := a.answers(c, standing)
	if err != nil {
		return err
	}
	for k, v := range standing {
		if keys[k] == v {
			delete(keys, k)
		}
	}
	if block != nil {
		keys["environment"] = block
	}
	return a.writeGroup(root, group, file, keys)
}

func (a *app) writeGroup(root *os.Root, group, file string, keys map[string]any) error {
	if err := root.MkdirAll(path.Join("config", group), 0o755); err != nil {
		return &usageError{fmt.Sprintf("config/%s cannot be made: %v", group, pathless(err)), ""}
	}
	if len(keys) == 0 {
		return a.made(path.Join("config", group) + "/")
	}
	text, err := cfnyaml.Marshal(keys)
	if err != nil {
		return err
	}
	if err := root.WriteFile(file, text, 0o644); err != nil {
		return &usageError{fmt.Sprintf("%s cannot be written: %v", file, pathless(err)), ""}
	}
	return a.made(file)
}

// inherited reads what the groups above say. A file that is a template is not
// rendered: what stands there in plain counts.
func inherited(root *os.Root, group string) map[string]string {
	out := map[string]string{}
	above := "config"
	for part := range strings.SplitSeq(group, "/") {
		text, err := fs.ReadFile(root.FS(), path.Join(above, "config.yaml"))
		above = path.Join(above, part)
		if err != nil {
			continue
		}
		node, _, err := cfnyaml.Parse(text)
		if err != nil {
			continue
		}
		for _, key := range []string{"project_code", "region"} {
			if v := node.Get(key); v != nil && v.Kind == cfnyaml.String {
				out[key] = v.Text
			}
		}
	}
	return out
}

// environmentBlock makes deployer's own block of the flags, nil without them.
func environmentBlock(c *cli.Context) (map[string]any, error) {
	class, accounts := c.String("class"), c.StringSlice("account")
	for _, account := range accounts {
		if !accountForm.MatchString(account) {
			return nil, &usageError{fmt.Sprintf("--account %s: an account has twelve digits", account), ""}
		}
	}
	switch {
	case class == "" && len(accounts) > 0:
		return nil, &usageError{"--account binds an environment", "give --class too"}
	case class == "":
		return nil, nil
	case !slices.Contains([]string{"development", "persistent", "production"}, class):
		return nil, oneOf("--class", class, "development", "persistent", "production")
	case class == "production" && len(accounts) == 0:
		return nil, &usageError{"a production environment names its accounts", "give --account"}
	}
	block := map[string]any{"class": class}
	if len(accounts) > 0 {
		list := make([]any, 0, len(accounts))
		for _, account := range accounts {
			list = append(list, account)
		}
		block["accounts"] = list
	}
	return block, nil
}
