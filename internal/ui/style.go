// Package ui shows plans and events and asks questions.
//
// Rules of output: data goes to stdout, talk to stderr. Colour never carries
// meaning alone: every colour stands beside a word or a symbol. No escape code
// is written unless the stream is a terminal and colour was not refused. Live
// progress takes at most 24 lines. JSON mode prints nothing but JSON, failures
// included. The package decides nothing and never calls AWS.
package ui

import (
	"time"

	"github.com/fatih/color"

	"github.com/deployer-cli/deployer/internal/plan"
	"github.com/deployer-cli/deployer/internal/span"
	"github.com/deployer-cli/deployer/stacks"
)

// Style paints text for one stream. The zero Style leaves it as it is.
type Style struct{ colour bool }

// NewStyle returns a Style that paints only when colour is true.
func NewStyle(colour bool) Style { return Style{colour: colour} }

func (s Style) paint(text string, attrs ...color.Attribute) string {
	if !s.colour || text == "" {
		return text
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(text)
}

// Bad paints what went wrong.
func (s Style) Bad(text string) string { return s.paint(text, color.FgRed, color.Bold) }

// Good paints what went well.
func (s Style) Good(text string) string { return s.paint(text, color.FgGreen) }

// Warn paints what deserves a second look.
func (s Style) Warn(text string) string { return s.paint(text, color.FgYellow) }

// Dim paints what may be overlooked.
func (s Style) Dim(text string) string { return s.paint(text, color.Faint) }

// Bold paints what stands out.
func (s Style) Bold(text string) string { return s.paint(text, color.Bold) }

// Class paints text in the colour of a class: production red and reversed,
// persistent amber, development green.
func (s Style) Class(c stacks.Class, text string) string {
	switch c {
	case stacks.Production:
		return s.paint(text, color.FgRed, color.Bold, color.ReverseVideo)
	case stacks.Persistent:
		return s.paint(text, color.FgYellow, color.Bold)
	case stacks.Development:
		return s.paint(text, color.FgGreen, color.Bold)
	case stacks.Undeclared:
		return s.paint(text, color.Bold)
	}
	return s.paint(text, color.FgRed, color.Bold, color.ReverseVideo)
}

// Action paints text in the colour of what is done.
func (s Style) Action(a plan.Action, text string) string {
	switch a {
	case plan.Create:
		return s.Good(text)
	case plan.Update, plan.Join:
		return s.Warn(text)
	case plan.Recreate, plan.Delete:
		return s.Bad(text)
	case plan.None, plan.Skip:
		return s.Dim(text)
	}
	return text
}

// Status paints a CloudFormation status: failures and rollbacks red, work in
// progress amber, completion green.
func (s Style) Status(status stacks.Status) string {
	text := string(status)
	switch {
	case status == stacks.UpdateRollbackComplete:
		return s.Warn(text)
	case status.Failed():
		return s.Bad(text)
	case status.InProgress(), status == stacks.ReviewInProgress:
		return s.Warn(text)
	case status == stacks.Pending, status == stacks.DeleteComplete:
		return s.Dim(text)
	default:
		return s.Good(text)
	}
}

// Duration writes a duration as a person would: 0.4s, 12s, 2m03s, 1h04m.
func Duration(d time.Duration) string { return span.Measured(d) }

// Span writes a length of time that somebody chose, such as an objective, as
// they would say it: 30m, 1h30m, 90s.
func Span(d time.Duration) string { return span.Chosen(d) }
