package stacks

import (
	"net/url"
	"regexp"
)

// userinfo is what stands before the host of an address: a user, a password, a token.
var userinfo = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]*@`)

// HoldsPassword tells whether an address with a user or a password stands in a text.
func HoldsPassword(text string) bool { return userinfo.MatchString(text) }

// WithoutPasswords takes users and passwords out of all addresses in a text.
func WithoutPasswords(text string) string { return userinfo.ReplaceAllString(text, "$1") }

// ShownAddress is an address as it may be shown: without user, password, query and
// fragment, where tokens stand. What is no address is not shown at all.
func ShownAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "an address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
