package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// topic is a project of one stack, with one parameter and one output.
func topic(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: shop\nregion: eu-west-1\n")
	write(t, dir, "config/dev/app.yaml", config)
	write(t, dir, "templates/app.yaml", `
Parameters: {In: {Type: String}}
Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref In}}}
Outputs: {Out: {Value: !Ref In}}
`)
	return dir
}

// plugin puts a program into a project.
func plugin(t *testing.T, dir, name string, text []byte) {
	t.Helper()
	write(t, dir, "plugins/"+name, string(text))
	if err := os.Chmod(filepath.Join(dir, "plugins", name), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestDocumentedPlugin runs the example of docs/plugins.md as it stands there.
func TestDocumentedPlugin(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugins.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("(?s)```sh\n(#!/bin/sh\n.*?)```").FindSubmatch(page)
	if code == nil {
		t.Fatal("docs/plugins.md has no example")
	}
	dir := topic(t, "template: {path: app.yaml}\nparameters: {In: !keychain shop/db}\n")
	plugin(t, dir, "deployer-resolver-keychain", code[1])
	write(t, dir, "secrets.txt", "shop/db=hunter2\n")
	r := must(t, 0, dir, "--sandbox", "launch", "dev", "-y")
	if strings.Contains(r.Stdout+r.Stderr, "hunter2") {
		t.Error("the secret is shown")
	}
	if out := must(t, 0, dir, "--sandbox", "list", "outputs", "dev", "-o", "json"); !strings.Contains(out.Stdout, "hunter2") {
		t.Errorf("the value did not arrive: %s", out.Stdout)
	}
	write(t, dir, "secrets.txt", "")
	if r := invoke(dir, nil, "--sandbox", "launch", "dev", "-y"); r.Exit == 0 || !strings.Contains(r.Stderr, "secrets.txt has no shop/db") {
		t.Errorf("exit %d: %s", r.Exit, r.Stderr)
	}
}

// TestEntryPoints runs plugins written for Sceptre, found as entry points of an
// installed Python package.
func TestEntryPoints(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3")
	}
	script, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugins", "sceptre-plugin.py"))
	if err != nil {
		t.Fatal(err)
	}
	dir := topic(t, "template: {type: made, key: value}\nsceptre_user_data: {a: 1}\nparameters: {In: !shout [a, {b: c}]}\nhooks: {after_create: [!tell ops]}\n")
	for _, name := range []string{"deployer-resolver-shout", "deployer-hook-tell", "deployer-template-made"} {
		plugin(t, dir, name, script)
	}
	write(t, dir, "lib/fake.py", `
class Base:
    def __init__(self, argument=None, stack=None):
        self.argument, self.stack = argument, stack
    def setup(self):
        print('talk that is no answer')

class Shout(Base):
    def resolve(self):
        return '%s %s %s' % (self.stack.name, self.argument[0].upper(), self.argument[1]['b'])

class Tell(Base):
    def run(self):
        print('told', self.argument, self.stack.external_name)

class Made:
    def __init__(self, name, arguments=None, sceptre_user_data=None, connection_manager=None, stack_group_config={}):
        self.arguments, self.data = arguments, sceptre_user_data
    def validate(self):
        assert self.arguments == {'key': 'value'}
    def handle(self):
        assert self.data == {'a': 1}
        return open('templates/app.yaml').read()
`)
	write(t, dir, "lib/fake-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
	write(t, dir, "lib/fake-1.0.dist-info/entry_points.txt", "[sceptre.resolvers]\nshout = fake:Shout\n[sceptre.hooks]\ntell = fake:Tell\n[sceptre.template_handlers]\nmade = fake:Made\n")
	r := invoke(dir, map[string]string{"PYTHONPATH": filepath.Join(dir, "lib")}, "--sandbox", "launch", "dev", "-y")
	if r.Exit != 0 || !strings.Contains(r.Stderr, "after_create | told ops shop-dev-app") {
		t.Fatalf("exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
	}
	if out := must(t, 0, dir, "--sandbox", "list", "outputs", "dev", "-o", "json"); !strings.Contains(out.Stdout, "dev/app A c") {
		t.Errorf("outputs are %s", out.Stdout)
	}
	if r := invoke(dir, nil, "--sandbox", "launch", "dev", "-y"); r.Exit == 0 || !strings.Contains(r.Stderr, "no Python package here has an entry point") {
		t.Errorf("exit %d: %s", r.Exit, r.Stderr)
	}
}
