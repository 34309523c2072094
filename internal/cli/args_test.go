package cli

import (
	"slices"
	"strings"
	"testing"
)

func testApp() *app { return &app{env: Env{Environ: map[string]string{}}} }

func TestIntersperse(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"launch dev --dry-run":                   "launch --dry-run dev",
		"launch dev -y":                          "launch -y dev",
		"launch dev --sandbox":                   "--sandbox launch dev",
		"launch dev -o json --timeout 5m":        "-o json launch --timeout 5m dev",
		"launch --timeout=5m dev":                "launch --timeout=5m dev",
		"list outputs dev -e envvar -C x":        "-C x list outputs -e envvar dev",
		"--var a=b launch dev --var c=d":         "--var a=b --var c=d launch dev",
		"launch status":                          "launch status",
		"launch dev list":                        "launch dev list",
		"launch -- --dry-run":                    "launch -- --dry-run",
		"launch dev --nope":                      "launch --nope dev",
		"launch dev --timeout":                   "launch --timeout dev",
		"":                                       "",
		"--version":                              "--version",
		"sandbox fault add rules.yaml --sandbox": "--sandbox sandbox fault add rules.yaml",
	}
	root := testApp().root()
	for in, want := range tests {
		got := strings.Join(intersperse(root, append([]string{"deployer"}, strings.Fields(in)...))[1:], " ")
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Who asks for help behind an argument has it of the command.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"launch dev --help":             "launch --help",
		"break dev/network -h":          "break -h",
		"break plan dev/network --help": "break plan --help",
		"launch dev --dry-run":          "launch --dry-run dev",
		"launch -- --help":              "launch -- --help",
		"launc --help":                  "--help launc",
	}
	root := testApp().root()
	for in, want := range tests {
		got := strings.Join(commandLine(root, append([]string{"deployer"}, strings.Fields(in)...))[1:], " ")
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzIntersperse: no word is lost or made up, sorting twice changes nothing
// more, and no flag stands behind an argument unless "--" does before it.
func FuzzIntersperse(f *testing.F) {
	for _, seed := range []string{"launch dev -y", "--sandbox -o json plan dev/x --exit-code", "launch -- -y", "list outputs -e", "list oist outputs -e", "- -- -", "--var a=b x"} {
		f.Add(seed)
	}
	root := testApp().root()
	f.Fuzz(func(t *testing.T, line string) {
		in := append([]string{"deployer"}, strings.Fields(line)...)
		out := intersperse(root, in)
		// A flag that ends the line lacks its value, and finds one where it was put.
		if again := intersperse(root, out); !slices.Equal(out, again) && !isFlag(in[len(in)-1]) {
			t.Errorf("%q -> %q -> %q", in, out, again)
		}
		a, b := slices.Sorted(slices.Values(in)), slices.Sorted(slices.Values(out))
		if !slices.Equal(a, b) {
			t.Errorf("%q -> %q: words differ", in, out)
		}
	})
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	known := []string{"launch", "plan", "status", "delete"}
	for got, want := range map[string]string{
		"lanuch": "did you mean launch?", "stat": "did you mean status?", "delte": "did you mean delete?",
		"frobnicate": "", "": "", "x": "",
	} {
		if hint := didYouMean(got, known); hint != want {
			t.Errorf("%q: %q, want %q", got, hint, want)
		}
	}
}
