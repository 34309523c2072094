package trial_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const mebibyte = 1 << 20

// built builds the program as make build does, and measures its size: a call that makes
// the linker keep all of EC2's adds 50 MiB, and nobody sees it.
func built(t *testing.T, got results) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "deployer")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "urfave_cli_no_docs", "-o", name, "../../cmd/deployer").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	got["size"] = metrics{"MiB": float64(info.Size()) / mebibyte}
	return name
}

// processes measures the program itself: the least time and the most memory of several runs.
func processes(t *testing.T, got results, name string) {
	t.Helper()
	got["process version"] = several(t, 20, t.TempDir(), nil, name, "--version")
	for what, dir := range map[string]string{"graph-5000": large(t, 5000), "graph-hub-2000": hub(t, 2000)} {
		got["process "+what] = several(t, 5, dir, nil, name, "graph", "--format", "dot")
	}
	got["process launch-1000"] = thousand(t, name)
}

// thousand launches the world of 1,000 stacks against an AWS on loopback that takes
// five reads a second in each account and region, with the paces that AWS gets, in real
// time. What could not be read is told in warnings, and they are counted.
func thousand(t *testing.T, program ...string) metrics {
	t.Helper()
	short := func(string) (create, update, remove time.Duration) { return time.Second, time.Second, time.Second }
	aws := sandbox.New(sandbox.Options{Store: store.NewMemory(), Speed: 1, Durations: short})
	if _, err := aws.AddFault(t.Context(), sandbox.Fault{Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(aws)
	defer server.Close()
	dir := t.TempDir()
	shaped("world", 1000).write(t, dir)
	vars := []string{"AWS_ENDPOINT_URL=" + server.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true"}
	m := several(t, 1, dir, append(vars, program[1:]...), program[0], "launch", "dev", "-y", "-o", "json")
	m["warnings"] += 0 // none is a measure, too
	return m
}

// TestProfile writes profiles of processor and memory: of a launch of 1,000
// stacks, and of loading 5,000.
func TestProfile(t *testing.T) { //nolint:paralleltest // it measures: nothing beside it
	if *profile == "" {
		t.Skip("make profile")
	}
	where, err := filepath.Abs(*profile)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "deployer") // by which name TestMain knows what to do
	if err := os.Symlink(exe, name); err != nil {
		t.Fatal(err)
	}
	to := func(what string) []string {
		return []string{"TRIAL_CPU_PROFILE=" + filepath.Join(where, what+".cpu.prof"), "TRIAL_MEMORY_PROFILE=" + filepath.Join(where, what+".memory.prof")}
	}
	fmt.Println("launch of 1,000:", thousand(t, append([]string{name}, to("launch")...)...))
	fmt.Println("load of 5,000:", several(t, 1, large(t, 5000), to("load"), name, "graph", "--format", "dot"))
}

// warnings counts those in the events that a program writes.
type warnings struct{ metrics }

// Write implements io.Writer. A write is whole lines, or counts what it can tell.
func (w warnings) Write(p []byte) (int, error) {
	if n := bytes.Count(p, []byte(`"kind":"warning"`)); n > 0 {
		w.metrics["warnings"] += float64(n)
	}
	return len(p), nil
}

// several runs the program so often.
func several(t *testing.T, times int, dir string, vars []string, name string, args ...string) metrics {
	t.Helper()
	m := metrics{}
	for range times {
		cmd := exec.CommandContext(t.Context(), name, args...)
		var talk bytes.Buffer
		said := warnings{m}
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, &talk
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NO_COLOR=1"}, vars...)
		start := time.Now()
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, talk.String())
		}
		took := time.Since(start).Seconds()
		busy := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		if m["s"] == 0 || took < m["s"] {
			m["s"] = took
		}
		if m["cpu-s"] == 0 || busy < m["cpu-s"] {
			m["cpu-s"] = busy
		}
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			m["MiB"] = max(m["MiB"], float64(usage.Maxrss)/1024)
		}
	}
	return m
}

// large is a project of environments of five stacks: a network, and four
// services that take its outputs.
func large(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: big\nregion: eu-west-1\nstack_tags: {Team: core}\n")
	write(t, dir, "templates/network.yaml", "Parameters: {Cidr: {Type: String}}\nResources:\n  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}\n"+
		"Outputs:\n  VpcId: {Value: !Ref Vpc, Export: {Name: !Sub '${AWS::StackName}-VpcId'}}\n")
	write(t, dir, "templates/service.yaml", "Parameters: {Vpc: {Type: String}, Parent: {Type: String}}\nResources:\n"+
		"  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: !Ref Vpc, VpcId: {'Fn::ImportValue': !Sub '${Parent}-VpcId'}}}\n")
	for e := range n / 5 {
		group := fmt.Sprintf("env%04d", e)
		write(t, dir, "config/"+group+"/config.yaml", fmt.Sprintf("environment: {class: development}\ncidr: 10.%d.0.0/16\n", e%256))
		write(t, dir, "config/"+group+"/network.yaml", "template: {path: network.yaml, type: file}\nparameters: {Cidr: '{{ cidr }}'}\n")
		for i := range 4 {
			write(t, dir, fmt.Sprintf("config/%s/service%d.yaml", group, i), "template: {path: service.yaml, type: file}\nparameters:\n"+
				"  Vpc: !stack_output "+group+"/network.yaml::VpcId\n  Parent: big-"+group+"-network\n")
		}
	}
	return dir
}

// hub is a project of stacks that all take an output of one.
func hub(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	p := &project{nodes: []node{{name: "hub", template: "queue"}}}
	for i := range n - 1 {
		p.nodes = append(p.nodes, node{name: fmt.Sprintf("leaf%04d", i), template: "queue", needs: []string{"hub"}})
	}
	p.write(t, dir)
	return dir
}
