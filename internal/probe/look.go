package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/clipperhouse/displaywidth"

	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/internal/steady"
	"github.com/deployer-cli/deployer/stacks"
)

// Bounds of what is read and told.
const (
	maxBody = 1 << 20 // bytes of a body in which text is looked for
	maxWhy  = 200     // characters of a program's last words
)

func overHTTP(ctx context.Context, h steady.HTTP, client Doer) finding {
	begun := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return blind("%s cannot be asked", stacks.ShownAddress(h.URL))
	}
	req.Header.Set("User-Agent", "deployer")
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := client.Do(req)
	if err != nil {
		return unreachable(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return bad("its answer broke off: %s", reason(err))
	}
	took := time.Since(begun)
	switch {
	case !wanted(resp.StatusCode, h.Status):
		return bad("it answered %s", status(resp.StatusCode))
	case !bytes.Contains(body, []byte(h.Contains)):
		return bad("its answer does not contain what body_contains asks for")
	case h.MaxLatency > 0 && took > h.MaxLatency:
		return bad("it took %s, longer than %s", took.Round(time.Millisecond), h.MaxLatency)
	}
	return good()
}

func wanted(got, want int) bool {
	return got == want || want == 0 && got >= http.StatusOK && got < http.StatusMultipleChoices
}

func status(code int) string {
	return strings.TrimSpace(strconv.Itoa(code) + " " + http.StatusText(code))
}

func overTCP(ctx context.Context, address string, dial func(context.Context, string, string) (net.Conn, error)) finding {
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return unreachable(err)
	}
	_ = conn.Close() // that it was opened is all
	return good()
}

// unreachable tells a server that does not answer from a network of our own that
// is gone.
func unreachable(err error) finding {
	if nobody, ok := errors.AsType[*net.DNSError](err); ok && nobody.IsTimeout {
		return blind("no name server answers here")
	}
	for _, ours := range []error{syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, ours) {
			return blind("the network cannot be used here: %s", reason(err))
		}
	}
	return bad("%s", reason(err))
}

// reason is the heart of an error of the network. net/http's own words hold the
// whole address.
func reason(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return "there is no such host"
		}
		return "its name cannot be looked up"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not good: " + certificate(err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return Line(err.Error())
}

func certificate(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return Line(e.Error())
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "it is for another host"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "it is signed by nobody we know"
	}
	return "it cannot be verified"
}

func byCommand(ctx context.Context, args []string, runner Runner) finding {
	output, err := runner.Run(ctx, args)
	if err == nil {
		return good()
	}
	exit, ok := errors.AsType[*program.ExitError](err)
	if !ok {
		return blind("%s cannot be run: %s", path.Base(args[0]), Line(err.Error()))
	}
	if words := lastLine(output); words != "" {
		return bad("%s: %s", exit.How, words)
	}
	return bad("%s", exit.How)
}

// The states of an alarm, as CloudWatch writes them.
const (
	alarmOK   = "OK"
	alarmRang = "ALARM"
)

func ofAlarm(ctx context.Context, name string, alarms Alarms) finding {
	state, changed, err := alarms.State(ctx, name)
	f := finding{}
	switch {
	case err != nil:
		return blind("%s", Line(err.Error()))
	case state == "":
		return bad("there is no alarm %s", name)
	case state == alarmRang:
		f = bad("it is in ALARM")
	case state != alarmOK:
		f = blind("it has no data: %s", state)
	}
	f.changed = changed
	return f
}

func ofStacks(ctx context.Context, glob string, stacks Stacks) finding {
	ok, why, err := stacks.Up(ctx, glob)
	switch {
	case err != nil:
		return blind("%s", Line(err.Error()))
	case !ok && why == "":
		return bad("%s is not up", glob)
	case !ok:
		return bad("%s", Line(why))
	}
	return good()
}

// lastLine is the last line that says something.
func lastLine(text string) string {
	last := ""
	for l := range strings.Lines(text) {
		if l = Line(l); l != "" {
			last = l
		}
	}
	return last
}

// Line makes one short line of a text from outside, without what steers a terminal
// and without the passwords of addresses.
func Line(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strip(strings.ToValidUTF8(text, "")))
	runes := []rune(strings.TrimSpace(unworded(stacks.WithoutPasswords(text))))
	if len(runes) > maxWhy {
		return string(runes[:maxWhy]) + "…"
	}
	return string(runes)
}

// secretWord is a word that says that a secret follows.
const secretWord = `[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|api[_-]?key|access[_-]?key|authorization)[\w.-]*` //nolint:gosec // words that speak of one

// told finds a secret that a program says by name: password=…, "token": "…",
// --password …, Authorization: Bearer ….
var told = regexp.MustCompile(`(?i)(` + secretWord + `["']?\s*[:=]\s*|--?` + secretWord + `\s+|\bbearer\s+)((?:bearer|basic)\s+)?("[^"]*"?|'[^']*'?|[^\s"',;&]+)`)

// unworded leaves out the secrets that a text says by name.
func unworded(text string) string { return told.ReplaceAllString(text, "${1}${2}***") }

// strip leaves out control sequences.
func strip(text string) string {
	var b strings.Builder
	sequences := displaywidth.Options{ControlSequences: true, ControlSequences8Bit: true}
	for g := sequences.StringGraphemes(text); g.Next(); {
		if v := g.Value(); len(v) == 1 || v[0] != '\x1b' {
			b.WriteString(v)
		}
	}
	return b.String()
}
