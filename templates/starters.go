package templates

import (
	"embed"
	"io/fs"
)

// embedded is a variable only because go:embed asks for one.
//
//go:embed all:starters
var embedded embed.FS

// Starters holds the starter projects of deployer init: one folder each.
func Starters() fs.FS {
	sub, err := fs.Sub(embedded, "starters")
	if err != nil {
		return embedded // cannot happen: the name above is a valid path
	}
	return sub
}
