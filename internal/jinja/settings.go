package jinja

import (
	"errors"
	"fmt"
	"slices"
)

// WithSettings gives the options as changed by settings, whose keys are
// the keyword arguments of Jinja2's Environment as users write them in a
// configuration file. A setting that cannot be kept is an error.
func (o Options) WithSettings(settings map[string]any) (Options, error) {
	flags := map[string]*bool{
		"trim_blocks":           &o.TrimBlocks,
		"lstrip_blocks":         &o.LstripBlocks,
		"keep_trailing_newline": &o.KeepTrailingNewline,
	}
	texts := map[string]*string{
		"block_start_string":    &o.BlockStart,
		"block_end_string":      &o.BlockEnd,
		"variable_start_string": &o.VariableStart,
		"variable_end_string":   &o.VariableEnd,
		"comment_start_string":  &o.CommentStart,
		"comment_end_string":    &o.CommentEnd,
		"newline_sequence":      &o.NewlineSequence,
	}
	for _, key := range sortedKeys(settings) {
		value := settings[key]
		var err error
		switch {
		case flags[key] != nil:
			err = assign(flags[key], value, "true or false")
		case texts[key] != nil:
			err = assign(texts[key], value, "a text")
		default:
			err = checkSetting(key, value)
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", key, err)
		}
	}
	if msg := o.ambiguous(); msg != "" {
		return o, fmt.Errorf("delimiters: %s", msg)
	}
	return o, nil
}

func assign[T comparable](field *T, value any, want string) error {
	v, ok := value.(T)
	var zero T
	if !ok || (any(zero) == "" && v == zero) {
		return fmt.Errorf("must be %s, not %v", want, value)
	}
	*field = v
	return nil
}

// checkSetting accepts the settings that change nothing here.
func checkSetting(key string, value any) error {
	switch key {
	case "extensions":
		return checkExtensions(value)
	case "optimized", "auto_reload", "cache_size":
		return nil
	case "autoescape", "enable_async":
		if value == false {
			return nil
		}
		return fmt.Errorf("only false is supported, not %v", value)
	case "line_statement_prefix", "line_comment_prefix":
		if value == nil {
			return nil
		}
		return errors.New("line statements and line comments are not supported")
	}
	return errors.New("is no known setting of the Jinja2 environment")
}

func checkExtensions(value any) error {
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf("must be a list, not %v", value)
	}
	// Projects switch debug on and leave it on; its tag itself is not known here.
	known := []any{"jinja2.ext.do", "jinja2.ext.loopcontrols", "jinja2.ext.with_", "jinja2.ext.autoescape", "jinja2.ext.debug"}
	for _, name := range list {
		if !slices.Contains(known, name) {
			return fmt.Errorf("extension %v is not supported, only do and loopcontrols are", name)
		}
	}
	return nil
}

// ambiguous says which delimiters cannot be told apart; "" means none.
func (o Options) ambiguous() string {
	o = o.withDefaults()
	starts := []string{o.BlockStart, o.VariableStart, o.CommentStart}
	for i, start := range starts {
		if slices.Contains(starts[i+1:], start) {
			return "block, variable and comment start strings must be different"
		}
	}
	switch o.NewlineSequence {
	case "", "\n", "\r\n", "\r":
		return ""
	}
	return "newline_sequence must be one of '\\n', '\\r\\n' and '\\r'"
}
