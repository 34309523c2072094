package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/deployer-cli/deployer/internal/plan"
)

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"project":  cmdProject,
	"json":     cmdJSON,
	"edit":     cmdEdit,
	"endpoint": cmdEndpoint,
	"await":    cmdAwait,
	"disk":     cmdDisk,
	"port":     cmdPort,
	"connect":  cmdConnect,
	"wide":     cmdWide,
	"digest":   cmdDigest,
	"reseal":   cmdReseal,
	"writes":   cmdWrites,
}

// scriptCondition knows [mount]: file systems can be mounted.
func scriptCondition(cond string) (bool, error) {
	if cond != "mount" {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	dir, err := os.MkdirTemp("", "mount")
	if err != nil {
		return false, err
	}
	defer os.Remove(dir)
	if unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k") != nil {
		return false, nil
	}
	return true, unix.Unmount(dir, 0)
}

// cmdDisk mounts a small disk, or makes one read-only.
func cmdDisk(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: disk DIR SIZE|readonly")
	}
	dir := ts.MkAbs(args[0])
	if args[1] == "readonly" {
		ts.Check(unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		return
	}
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func cmdProject(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: project NAME")
	}
	source, err := filepath.Abs(filepath.Join("..", "..", "testdata", "projects", args[0]))
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(source)))
	ts.Check(ts.Chdir(ts.MkAbs(args[0])))
}

// cmdEdit replaces every occurrence of a text, which must be there.
func cmdEdit(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	text = strings.ReplaceAll(text, args[1], strings.ReplaceAll(args[2], `\n`, "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// cmdJSON compares one value of a JSON document. In JSON lines the last line is
// the document. Keys of a path are divided by dots, which no key here holds.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: json FILE PATH WANT...")
	}
	text := strings.TrimSpace(ts.ReadFile(args[0]))
	var document any
	if json.Unmarshal([]byte(text), &document) != nil {
		text = text[strings.LastIndexByte(text, '\n')+1:]
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			ts.Fatalf("%s holds no JSON: %v", args[0], err)
		}
	}
	value, found := at(document, strings.FieldsFunc(args[1], func(r rune) bool { return r == '.' }))
	got, want := "absent", strings.Join(args[2:], " ")
	if found {
		form, _, _ := strings.Cut(want, " ")
		got = shown(value, form)
	}
	if (got == want) == neg {
		ts.Fatalf("%s is %s, want %s", args[1], got, map[bool]string{true: "anything else"}[neg]+want)
	}
}

// at finds a value by keys and indices; negative indices count from the end.
func at(v any, path []string) (any, bool) {
	for _, key := range path {
		switch t := v.(type) {
		case map[string]any:
			next, ok := t[key]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if i < 0 {
				i += len(t)
			}
			if err != nil || i < 0 || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// shown is a value as a script writes it: a text bare, anything else in JSON,
// or its "length N" or its "keys a b c" where that is asked for.
func shown(v any, form string) string {
	switch t := v.(type) {
	case string:
		return t
	case []any:
		if form == "length" {
			return fmt.Sprintf("length %d", len(t))
		}
	case map[string]any:
		keys := make([]string, 0, len(t))
		for k := range t {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if form == "keys" {
			return "keys " + strings.Join(keys, " ")
		}
		if form == "length" {
			return fmt.Sprintf("length %d", len(t))
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// cmdEndpoint starts an AWS that does not work.
func cmdEndpoint(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: endpoint NAME 500|hang|expired|closed")
	}
	release := make(chan struct{})
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch args[1] {
		case "500":
			w.WriteHeader(http.StatusInternalServerError)
		case "expired":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		case "hang":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
	}
	if args[1] == "closed" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(args[0], "http://"+l.Addr().String())
		ts.Check(l.Close())
		return
	}
	server := httptest.NewServer(http.HandlerFunc(answer))
	ts.Defer(func() { close(release); server.Close() })
	ts.Setenv(args[0], server.URL)
}

// cmdAwait waits until the files of a pattern hold a text so many times.
func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: await N TEXT FILES")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	for {
		files, err := filepath.Glob(ts.MkAbs(args[2]))
		ts.Check(err)
		n := 0
		for _, f := range files {
			text, err := os.ReadFile(f)
			ts.Check(err)
			n += strings.Count(string(text), args[1])
		}
		if n >= want {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			ts.Fatalf("%s does not hold %q %d times", args[2], args[1], want)
		}
	}
}

// cmdDigest puts the digest of a plan file into a variable: digest NAME FILE.
func cmdDigest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: digest NAME FILE")
	}
	var file struct{ Digest string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &file))
	ts.Setenv(args[0], file.Digest)
}

// cmdWrites counts the writing calls that the sandbox's journals announce, none
// of which is made without: writes note remembers them, writes none wants no more.
func cmdWrites(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || (args[0] != "note" && args[0] != "none") {
		ts.Fatalf("usage: writes note|none")
	}
	files, err := filepath.Glob(ts.MkAbs(".deployer/sandbox/journal/*.jsonl"))
	ts.Check(err)
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		ts.Check(err)
		n += strings.Count(string(text), `"intent":{`)
	}
	if args[0] == "note" {
		ts.Setenv("WRITES", strconv.Itoa(n))
	} else if was := ts.Getenv("WRITES"); was != strconv.Itoa(n) {
		ts.Fatalf("%d writing calls were announced, there were %s", n, was)
	}
}

// cmdReseal gives an edited plan file a digest that fits, as anybody can.
func cmdReseal(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: reseal FILE")
	}
	var file plan.File
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &file))
	ts.Check(file.Seal())
	var text bytes.Buffer
	ts.Check(file.Write(&text))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text.Bytes(), 0o600))
}

// cmdWide checks that no line of a terminal's output that matches is wider
// than it is.
func cmdWide(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: wide COLUMNS FILE PATTERN")
	}
	columns, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	matched := false
	for line := range strings.SplitSeq(ts.ReadFile(args[1]), "\n") {
		line = strings.TrimRight(line, "\r")
		line = ansi.Strip(line[strings.LastIndexByte(line, '\r')+1:])
		if !pattern.MatchString(line) {
			continue
		}
		matched = true
		if w := ansi.StringWidth(line); w > columns {
			ts.Fatalf("%d columns: %s", w, line)
		}
	}
	if !matched {
		ts.Fatalf("no line matches %s", args[2])
	}
}

// ports are given to one script each. They lie below those that systems give to
// whoever asks for any, so that nobody takes one before its server does.
var ports atomic.Int32

// freeAddress is a loopback address that nobody listens at, nor will before the caller.
func freeAddress() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+(int32(os.Getpid())*40+ports.Add(1))%10000)
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		return address, l.Close()
	}
	return "", errors.New("no port is free")
}

// cmdPort puts a free loopback address into a variable.
func cmdPort(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: port NAME")
	}
	address, err := freeAddress()
	ts.Check(err)
	ts.Setenv(args[0], address)
}

// cmdConnect waits until somebody listens at an address.
func cmdConnect(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: connect ADDRESS")
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 12000 { // two minutes
		c, err := net.Dial("tcp", args[0])
		if err == nil {
			ts.Check(c.Close())
			return
		}
		<-tick.C
	}
	ts.Fatalf("nobody listens at %s", args[0])
}
