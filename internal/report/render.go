package report

import (
	"bytes"
	_ "embed" // the templates
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/deployer-cli/deployer/internal/span"
	"github.com/deployer-cli/deployer/stacks"
)

//go:embed report.md.tmpl
var markdownText string

//go:embed report.html.tmpl
var htmlText string

// Formats are those that Render knows.
func Formats() []string { return []string{"md", "html", "json"} }

// Render writes the report in one of Formats. Times stand there in UTC and, where it is
// another, in the zone given, which JSON leaves out.
func (r *Report) Render(format string, zone *time.Location) ([]byte, error) {
	switch format {
	case "md":
		return r.markdown(zone)
	case "html":
		return r.html(zone)
	case "json":
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(r)
		return out.Bytes(), err
	}
	return nil, fmt.Errorf("a report is not written as %s: only as %s", format, strings.Join(Formats(), ", "))
}

// page is what the templates see.
type page struct {
	*Report
	Local string // name of the local zone, "" where that is UTC
	Chart *chart // nil where there is nothing to draw
}

func (r *Report) markdown(zone *time.Location) ([]byte, error) {
	t, err := template.New("md").Funcs(r.funcs(zone, inCell)).Parse(markdownText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, r.page(zone)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (r *Report) html(zone *time.Location) ([]byte, error) {
	t, err := htmltemplate.New("html").Funcs(r.funcs(zone, oneLine)).Parse(htmlText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, r.page(zone)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (r *Report) page(zone *time.Location) page {
	p := page{Report: r, Chart: r.chart()}
	if name, offset := r.Began.In(zone).Zone(); offset != 0 {
		p.Local = name
	}
	return p
}

// funcs are what both templates call. text writes what came from elsewhere.
func (r *Report) funcs(zone *time.Location, text func(string) string) map[string]any {
	return map[string]any{
		"text": func(v any) string { return text(fmt.Sprint(v)) },
		"join": func(v []string) string { return text(strings.Join(v, "; ")) },
		"utc":  func(t time.Time) string { return r.clock(t.UTC()) },
		"local": func(t time.Time) string {
			return r.clock(t.In(zone))
		},
		"day": func(t time.Time) string { return t.UTC().Format("Monday 2 January 2006, 15:04") + " UTC" },
		"at": func(t *time.Time) string {
			if t == nil {
				return notRecorded
			}
			return r.clock(t.UTC())
		},
		"took": func(s *float64) string {
			if s == nil {
				return notRecorded
			}
			return length(*s)
		},
		"span": length,
		"goal": func(s float64) string { return span.Chosen(time.Duration(s * float64(time.Second))) },
		"told": func(d Difference) string { return text(told(d)) },
		"paths": func(v []stacks.Path) string {
			names := make([]string, 0, len(v))
			for _, p := range v {
				names = append(names, string(p))
			}
			return text(strings.Join(names, ", "))
		},
	}
}

const notRecorded = "not recorded"

// length is a length of time in words; one that is negative says so.
func length(s float64) string {
	if s < 0 {
		return "-" + seconds(-s)
	}
	return seconds(s)
}

// oneLine takes away what would break a line or a terminal, or turn the order of letters.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029
	}), " ")
}

// inCell writes text that came from people and services so that Markdown shows it as it
// is, in a cell of a table, too.
func inCell(s string) string {
	return special.ReplaceAllString(oneLine(s), `\$0`)
}

// special are the characters that mean something to Markdown within a line.
var special = regexp.MustCompile("[\\\\`*_\\[\\]<>|#~&]")
