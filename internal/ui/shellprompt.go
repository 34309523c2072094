package ui

import (
	"fmt"
	"strings"

	"github.com/deployer-cli/deployer/stacks"
)

// ShellPrompt is a fragment of a shell's prompt that shows an environment in the
// colour of its class, and puts it into the terminal's title. Its words and
// signs say the same without colour.
type ShellPrompt struct {
	Environment string
	Class       stacks.Class
	Production  bool // by its class or by its name
	Known       bool // the class could be read
	Colour      bool
	Escapes     bool // the terminal knows any
}

// For gives the fragment for bash, zsh or fish, each of which has to be told in
// its own way what takes no room on the line.
func (p ShellPrompt) For(shell string) string {
	if p.Environment == "" {
		return ""
	}
	text, title := p.words()
	if !p.Escapes {
		return text + " "
	}
	hide := map[string][2]string{"bash": {"\x01", "\x02"}, "zsh": {"%{", "%}"}}[shell]
	wrap := func(escape string) string { return hide[0] + escape + hide[1] }
	if shell == "zsh" {
		text, title = strings.ReplaceAll(text, "%", "%%"), strings.ReplaceAll(title, "%", "%%")
	}
	out := wrap("\x1b]0;" + title + "\x07")
	if p.Colour {
		return out + wrap("\x1b["+p.code()+"m") + text + wrap("\x1b[0m") + " "
	}
	return out + text + " "
}

// words are the fragment and the title without any escape.
func (p ShellPrompt) words() (text, title string) {
	name := clean(p.Environment)
	switch {
	case p.Production || !p.Known:
		text = "!! PRODUCTION " + name + " !!"
		if !p.Known {
			text = "!! " + name + ": CLASS UNKNOWN !!"
		}
		return text, text
	case p.Class == stacks.Undeclared:
		text = "(" + name + ")"
	default:
		text = fmt.Sprintf("(%s %s)", name, p.Class)
	}
	return text, "deployer " + text
}

func (p ShellPrompt) code() string {
	switch {
	case p.Production || !p.Known:
		return "1;7;31"
	case p.Class == stacks.Persistent:
		return "1;33"
	case p.Class == stacks.Development:
		return "1;32"
	}
	return "1"
}

// Title gives what puts text into a terminal's title, and what brings back the
// title that was there.
func Title(text string) (begin, end string) {
	return "\x1b[22;0t\x1b]0;" + clean(text) + "\x07", "\x1b[23;0t"
}
