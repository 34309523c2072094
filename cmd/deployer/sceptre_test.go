package main_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sceptreProject is a public project of Sceptre's, brought up as a whole.
type sceptreProject struct {
	group string
	args  []string
	add   map[string]string // files that the corpus lacks
	// cannot says of stacks why they cannot come up here: what their templates
	// are made from is not in the corpus, needs the network, or is wrong.
	cannot map[string]string
}

func sceptreProjects() map[string]sceptreProject {
	const (
		network = "its template is at an address on the network"
		lambda  = "SAM and the code of its function are not here"
		macro   = "it needs a macro whose template is at an address on the network"
		broken  = "its template has {% end %}, which Jinja2 does not know"
	)
	return map[string]sceptreProject{
		"dmptool-infrastructure": {group: "dev", cannot: map[string]string{
			"dev/lambda/function/data-migration": "its RdsPort has to be a number, and comes from a parameter that is stubbed",
			"dev/ec2":                            "its instance has a property VpcId, which AWS refuses, too",
		}},
		"cinco": {group: "stage", args: []string{"--var-file", "stub-vars.yaml"}, add: map[string]string{
			"templates/inline-lambdas/cloudwatch-slack-integration/cloudwatch-slack.py.txt": "\n          def lambda_handler(event, context): pass\n",
		}, cannot: map[string]string{"stage/arclight/cloudfront": broken, "stage/cincoctrl/cloudfront": broken}},
		"recover": {group: "develop", add: map[string]string{
			"src/glue/resources/data_values_expectations.json": `{"fitbitdevices": {}}`,
			"src/glue/resources/table_columns.yaml":            tables("EnrolledParticipants", "HealthKitV2Samples", "FitbitDevices", "GoogleFitSamples", "GarminDeviceSummary"),
		}, cannot: map[string]string{
			"develop/cfn-s3objects-macro": network, "develop/s3-ingestion": network,
			"develop/namespaced/lambda-dispatch": lambda, "develop/namespaced/lambda-raw": lambda,
			"develop/namespaced/lambda-raw-sync": lambda, "develop/namespaced/lambda-s3-event-config": lambda,
			"develop/namespaced/s3-to-glue-lambda": lambda, "develop/namespaced/events-rule-raw-sync": "it needs lambda-raw-sync",
			"develop/namespaced/sns-dispatch-policy":           "it needs lambda-dispatch",
			"develop/namespaced/s3-ingestion-bucket-owner-txt": macro, "develop/namespaced/s3-input-bucket-owner-txt": macro,
			"develop/s3-processed-data-bucket-owner-txt": macro,
		}},
	}
}

// tables is a file of columns as recover has one, for tables of these names.
func tables(names ...string) string {
	text := "tables:\n"
	for _, n := range names {
		text += "  " + n + ":\n    columns: [{Name: id, Type: string}]\n    partition_keys: [{Name: cohort, Type: string}]\n"
	}
	return text
}

// TestSceptreProjectsComeUp launches whole environments of public projects in
// the sandbox, hooks included, and again with nothing to do.
func TestSceptreProjectsComeUp(t *testing.T) {
	t.Parallel()
	for name, p := range sceptreProjects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sceptreCorpus(t, name, p)
			for _, stack := range slices.Sorted(maps.Keys(p.cannot)) {
				t.Logf("%s cannot come up here: %s", stack, p.cannot[stack])
			}
			vars := map[string]string{"DEPLOYER_SANDBOX": "1", "DEPLOYER_SANDBOX_STUBS": "1"}
			launch := append([]string{"launch", p.group, "-y"}, p.args...)
			r := invoke(dir, vars, launch...)
			if r.Exit != 0 {
				t.Fatalf("exit %d\n%s", r.Exit, r.Stderr)
			}
			if strings.Contains(r.Stderr, "stubs:") != strings.Contains(r.Stderr, "answered stub-<name>") {
				t.Error("stubs are not explained")
			}
			r = invoke(dir, vars, append(launch, "-o", "json")...)
			o := r.result(t)
			if r.Exit != 0 || len(o.Stacks) < 15 {
				t.Errorf("exit %d, %d stacks", r.Exit, len(o.Stacks))
			}
			o.all(t, len(o.Stacks), "unchanged")
			t.Logf("%d stacks", len(o.Stacks))
		})
	}
}

// sceptreCorpus copies a project of the corpus, without what cannot come up,
// and with programs in place of those that its hooks name.
func sceptreCorpus(t *testing.T, name string, p sceptreProject) string {
	t.Helper()
	from := os.Getenv("DEPLOYER_CORPUS")
	if from == "" {
		from = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	from = filepath.Join(from, "sceptre", name)
	if _, err := os.Stat(from); err != nil {
		t.Skipf("no corpus of Sceptre projects: set DEPLOYER_CORPUS to the folder that has sceptre/%s", name)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	for file, text := range p.add {
		write(t, dir, file, text)
	}
	for stack := range p.cannot {
		if err := os.Remove(filepath.Join(dir, "config", stack+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	script := regexp.MustCompile(`!cmd ["']?(\./[\w./-]+\.sh)`)
	err := fs.WalkDir(os.DirFS(dir), "config", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, file))
		for _, m := range script.FindAllStringSubmatch(string(text), -1) {
			write(t, dir, m[1], "#!/bin/sh\necho \"hook of $AWS_REGION: $*\"\n")
			if err := os.Chmod(filepath.Join(dir, m[1]), 0o755); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
