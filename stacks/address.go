package stacks

import "regexp"

// userinfo is what stands before the host of an address: a user, a password, a token.
var userinfo = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]*@`)

// HoldsPassword tells whether an address with a user or a password stands in a text.
func HoldsPassword(text string) bool { return userinfo.MatchString(text) }

// WithoutPasswords takes users and passwords out of all addresses in a text.
func WithoutPasswords(text string) string { return userinfo.ReplaceAllString(text, "$1") }
