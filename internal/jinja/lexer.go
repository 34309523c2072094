package jinja

import (
	"strings"
	"unicode"
)

// lexer cuts a template into tokens. It follows Jinja2's lexer.py, whose
// regular expressions are spelt out here.
type lexer struct {
	opts   *Options
	t      *template
	src    string
	pos    int
	tokens []token

	lineStarting bool // what was read last ended with a line end, or nothing was

	// next is where each delimiter comes next, so that looking for a rare
	// one does not read the rest of the source again and again.
	next [3]int
}

func lex(opts *Options, t *template) ([]token, error) {
	l := &lexer{opts: opts, t: t, src: t.source, lineStarting: true, next: [3]int{-1, -1, -1}}
	for l.pos < len(l.src) {
		if err := l.root(); err != nil {
			return nil, err
		}
	}
	end := 0
	if n := len(l.tokens); n > 0 {
		end = l.tokens[n-1].pos
	}
	l.emit(tokEOF, end, "")
	return l.tokens, nil
}

func (l *lexer) emit(kind tokenKind, pos int, text string) {
	l.tokens = append(l.tokens, token{kind, pos, text})
}

func (l *lexer) fail(pos int, format string, args ...any) error {
	return l.t.at(pos, syntaxFailure(format, args...))
}

// opening is a delimiter found in template text.
type opening struct {
	kind  rune // 'b' block, 'v' variable, 'c' comment
	start int
	after int  // offset after the delimiter and its sign
	sign  byte // '-', '+' or 0
}

// root reads text up to the next tag, and that tag.
func (l *lexer) root() error {
	open, found := l.findOpening()
	if !found {
		l.data(l.src[l.pos:], l.pos)
		l.pos = len(l.src)
		return nil
	}
	text := l.stripBefore(l.src[l.pos:open.start], open)
	l.data(text, l.pos)
	if open.kind == 'b' {
		if after, ok := l.rawBegin(open.after); ok {
			l.move(after)
			return l.raw(open.start)
		}
	}
	l.move(open.after)
	switch open.kind {
	case 'c':
		return l.comment(open.start)
	case 'b':
		l.emit(tokBlockBegin, open.start, "")
		return l.tag(l.blockEnd, tokBlockEnd)
	}
	l.emit(tokVariableBegin, open.start, "")
	return l.tag(l.variableEnd, tokVariableEnd)
}

func (l *lexer) data(text string, pos int) {
	if text != "" {
		l.emit(tokData, pos, text)
	}
}

// move goes on to offset end, noting whether a new line starts there.
func (l *lexer) move(end int) {
	if end > l.pos {
		l.lineStarting = l.src[end-1] == '\n'
	}
	l.pos = end
}

// findOpening finds the first delimiter; of several at the same place the
// longest one counts.
func (l *lexer) findOpening() (opening, bool) {
	best, length := opening{start: len(l.src)}, 0
	for i, text := range [3]string{l.opts.VariableStart, l.opts.BlockStart, l.opts.CommentStart} {
		at := l.nextDelimiter(i, text)
		if at < best.start || at == best.start && len(text) > length {
			best, length = opening{kind: rune("vbc"[i]), start: at, after: at + len(text)}, len(text)
		}
	}
	if best.start == len(l.src) {
		return best, false
	}
	best.sign = l.signAt(best.after)
	if best.sign != 0 {
		best.after++
	}
	return best, true
}

// nextDelimiter gives the offset of delimiter i, or the end of the source.
func (l *lexer) nextDelimiter(i int, text string) int {
	if l.next[i] >= l.pos {
		return l.next[i]
	}
	at := strings.Index(l.src[l.pos:], text)
	if at < 0 {
		at = len(l.src) - l.pos
	}
	l.next[i] = l.pos + at
	return l.next[i]
}

func (l *lexer) signAt(pos int) byte {
	if pos < len(l.src) && (l.src[pos] == '-' || l.src[pos] == '+') {
		return l.src[pos]
	}
	return 0
}

// stripBefore applies whitespace control to the text before a tag.
func (l *lexer) stripBefore(text string, open opening) string {
	if open.sign == '-' {
		return strings.TrimRightFunc(text, isSpace)
	}
	if open.sign == '+' || !l.opts.LstripBlocks || open.kind == 'v' {
		return text
	}
	line := strings.LastIndexByte(text, '\n') + 1
	if (line > 0 || l.lineStarting) && strings.TrimLeftFunc(text[line:], isSpace) == "" {
		return text[:line]
	}
	return text
}

// isSpace is Python's idea of white space.
func isSpace(c rune) bool {
	return unicode.IsSpace(c) || 0x1c <= c && c <= 0x1f
}

func (l *lexer) skipSpace(pos int) int {
	return len(l.src) - len(strings.TrimLeftFunc(l.src[pos:], isSpace))
}

// rawBegin tells whether the block opened before pos is a raw tag, and
// where its content starts.
func (l *lexer) rawBegin(pos int) (int, bool) {
	pos = l.skipSpace(pos)
	if !strings.HasPrefix(l.src[pos:], "raw") {
		return 0, false
	}
	pos = l.skipSpace(pos + len("raw"))
	if strings.HasPrefix(l.src[pos:], "-"+l.opts.BlockEnd) {
		return l.skipSpace(pos + 1 + len(l.opts.BlockEnd)), true
	}
	if strings.HasPrefix(l.src[pos:], l.opts.BlockEnd) {
		return pos + len(l.opts.BlockEnd), true
	}
	return 0, false
}

// raw reads up to endraw.
func (l *lexer) raw(start int) error {
	from := l.pos
	for {
		i := strings.Index(l.src[from:], l.opts.BlockStart)
		if i < 0 {
			return l.fail(start, "Missing end of raw directive")
		}
		open := opening{kind: 'b', start: from + i, after: from + i + len(l.opts.BlockStart)}
		from = open.after
		if open.sign = l.signAt(open.after); open.sign != 0 {
			open.after++
		}
		at := l.skipSpace(open.after)
		if !strings.HasPrefix(l.src[at:], "endraw") {
			continue
		}
		end, ok := l.blockEnd(l.skipSpace(at + len("endraw")))
		if !ok {
			continue
		}
		l.data(l.stripBefore(l.src[l.pos:open.start], open), l.pos)
		l.move(end)
		return nil
	}
}

func (l *lexer) comment(start int) error {
	i := strings.Index(l.src[l.pos:], l.opts.CommentEnd)
	if i < 0 {
		return l.fail(start, "Missing end of comment tag")
	}
	at := l.pos + i
	end := at + len(l.opts.CommentEnd)
	switch {
	case i > 0 && l.src[at-1] == '-':
		end = l.skipSpace(end)
	case i > 0 && l.src[at-1] == '+':
	default:
		end = l.trimNewline(end)
	}
	l.move(end)
	return nil
}

func (l *lexer) trimNewline(pos int) int {
	if l.opts.TrimBlocks && pos < len(l.src) && l.src[pos] == '\n' {
		return pos + 1
	}
	return pos
}

// blockEnd matches the end of a block tag with its whitespace control.
func (l *lexer) blockEnd(pos int) (int, bool) {
	end, rest := l.opts.BlockEnd, l.src[pos:]
	switch {
	case strings.HasPrefix(rest, "+"+end):
		return pos + 1 + len(end), true
	case strings.HasPrefix(rest, "-"+end):
		return l.skipSpace(pos + 1 + len(end)), true
	case strings.HasPrefix(rest, end):
		return l.trimNewline(pos + len(end)), true
	}
	return 0, false
}

func (l *lexer) variableEnd(pos int) (int, bool) {
	end, rest := l.opts.VariableEnd, l.src[pos:]
	switch {
	case strings.HasPrefix(rest, "-"+end):
		return l.skipSpace(pos + 1 + len(end)), true
	case strings.HasPrefix(rest, end):
		return pos + len(end), true
	}
	return 0, false
}
