package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/deployer-cli/deployer/internal/handler"
	"github.com/deployer-cli/deployer/internal/plugin"
	"github.com/deployer-cli/deployer/internal/resolve"
	"github.com/deployer-cli/deployer/internal/web"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// programs makes what runs programs for the project, and the loader of
// templates that uses them.
func (s *session) programs() {
	s.runner = &runner{s: s}
	ready := func() bool { return s.vetted }
	s.plugins = plugin.New(s.runner, s.dir, s.lookUp, ready)
	s.loader = s.newLoader()
}

func (s *session) newLoader() *templates.Loader {
	made := handler.New(handler.Ports{
		Runner: s.runner, Web: web.Client{}, Project: s.dir, Dir: s.app.env.Dir,
		Objects: func() (handler.Objects, bool) { return s.cloud, s.vetted },
	})
	return templates.NewLoader(s.root.FS(), templates.Options{
		Types: made.Types(), Formats: made.Formats(), Outside: s.outsideFile,
		Handlers: func(kind string) (templates.Handler, bool) {
			if h, ok := s.plugins.Handler(kind); ok || kind != "sam" {
				return h, ok
			}
			return made.SAM, true
		},
	})
}

// lookUp finds a plugin's program: in the project's plugins/, then on the path.
func (s *session) lookUp(program string) (string, bool) {
	dirs := append([]string{filepath.Join(s.dir, "plugins")}, filepath.SplitList(s.app.env.Environ["PATH"])...)
	for _, dir := range dirs {
		if dir == "" || !filepath.IsAbs(dir) {
			continue // the folder we happen to be in is no place for programs
		}
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, true
		}
	}
	return "", false
}

// outsideFile reads a file outside of the project, relative to it.
func (s *session) outsideFile(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.dir, filepath.FromSlash(strings.ReplaceAll(name, `\`, "/")))
	}
	return os.ReadFile(name)
}

// fetcher implements resolve.Web.
type fetcher struct{}

// Get fetches with the usual patience.
func (fetcher) Get(ctx context.Context, address, user, password string) ([]byte, error) {
	return web.Client{}.Get(ctx, web.Request{URL: address, User: user, Password: password, Retries: -1})
}

// pending implements resolve.Made: what the planner says, while there is one.
func (s *session) pending(consumer *stacks.Stack, name string) (stacks.Path, bool) {
	if s.made == nil {
		return "", false
	}
	return s.made(consumer, name)
}

var _ resolve.Made = (*session)(nil).pending
