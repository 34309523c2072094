package jinja

import (
	"slices"
	"strings"
	"unicode"
)

func wordwrapFilter(r *run, v any, args []any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fail("%s object has no attribute 'splitlines'", reprString(typeName(v)))
	}
	width, err := smallOr(args, 0, 79)
	if err != nil {
		return nil, err
	}
	if width <= 0 {
		return nil, fail("invalid width %d (must be > 0)", width)
	}
	w := &wrapper{width: width}
	if w.breakLong, err = r.flagOr(args, 1, true); err != nil {
		return nil, err
	}
	if w.breakHyphens, err = r.flagOr(args, 3, true); err != nil {
		return nil, err
	}
	separator, err := optText(args, 2)
	if err != nil {
		return nil, err
	}
	if separator == nil {
		separator = &r.env.opts.NewlineSequence
	}
	if err := r.spend(8 * len(s)); err != nil {
		return nil, err
	}
	var lines []string
	for _, line := range splitLines(s, false) {
		lines = append(lines, strings.Join(w.wrap(line), *separator))
	}
	return r.joinTexts(lines, *separator)
}

// wrapper breaks a line as Python's textwrap does.
type wrapper struct {
	width        int
	breakLong    bool
	breakHyphens bool
}

func (w *wrapper) wrap(line string) []string {
	chunks := w.chunks([]rune(line))
	var lines []string
	for len(chunks) > 0 {
		if len(lines) > 0 && isBlank(chunks[0]) {
			chunks = chunks[1:] // no white space at the start of a line
			continue
		}
		n, size := w.fit(chunks)
		current := append([][]rune(nil), chunks[:n]...)
		chunks = chunks[n:]
		if len(chunks) > 0 && len(chunks[0]) > w.width {
			head, rest := w.breakChunk(chunks[0], w.width-size, n == 0)
			if head != nil { // may be empty, which then hides white space before it
				current = append(current, head)
			}
			if chunks[0] = rest; len(rest) == 0 {
				chunks = chunks[1:]
			}
		}
		if k := len(current); k > 0 && isBlank(current[k-1]) {
			current = current[:k-1]
		}
		if len(current) > 0 {
			lines = append(lines, joinRunes(current))
		}
	}
	return lines
}

// fit counts the first chunks that have room on a line, and their letters.
func (w *wrapper) fit(chunks [][]rune) (n, size int) {
	for n < len(chunks) && size+len(chunks[n]) <= w.width {
		size += len(chunks[n])
		n++
	}
	return n, size
}

// breakChunk cuts a word that is longer than a line. The head fills the
// line; alone says that nothing else is on it.
func (w *wrapper) breakChunk(chunk []rune, room int, alone bool) (head, rest []rune) {
	if !w.breakLong {
		if alone {
			return chunk, nil
		}
		return nil, chunk
	}
	if w.breakHyphens {
		hyphen := room - 1
		for hyphen > 0 && chunk[hyphen] != '-' {
			hyphen--
		}
		isOther := func(c rune) bool { return c != '-' }
		if hyphen > 0 && slices.ContainsFunc(chunk[:hyphen], isOther) {
			room = hyphen + 1
		}
	}
	return chunk[:room], chunk[room:]
}

func isBlank(chunk []rune) bool {
	for _, c := range chunk {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

func joinRunes(parts [][]rune) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(string(p))
	}
	return b.String()
}

// chunks cuts a line into words and white space; words also after hyphens
// that stand between letters.
func (w *wrapper) chunks(line []rune) [][]rune {
	var out [][]rune
	for len(line) > 0 {
		space := isSpace(line[0])
		end := 1
		for end < len(line) && isSpace(line[end]) == space {
			end++
		}
		word := line[:end]
		line = line[end:]
		if w.breakHyphens && !space {
			out = append(out, hyphenParts(word)...)
		} else {
			out = append(out, word)
		}
	}
	return out
}

func hyphenParts(word []rune) [][]rune {
	var parts [][]rune
	start := 0
	for i := 2; i+2 < len(word); i++ {
		letters := isLetterPart(word[i-2]) && isLetterPart(word[i-1]) && isLetterPart(word[i+1]) && isLetterPart(word[i+2])
		if word[i] == '-' && letters {
			parts = append(parts, word[start:i+1])
			start = i + 1
		}
	}
	return append(parts, word[start:])
}

func isLetterPart(c rune) bool { return c == '_' || unicode.IsLetter(c) }
