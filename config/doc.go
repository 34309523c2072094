// Package config reads a project on disk: groups and stacks with all they
// inherit, as Sceptre 4 lays them out, and deployer's own environment blocks.
//
// It resolves nothing, renders no template, and knows neither AWS nor the
// process it runs in: files come from an [fs.FS], everything else from Options.
// What is wrong in the files becomes a stacks.Problem with its place. A broken
// stack file keeps its problems to itself, so that it never blocks a command
// that does not concern it.
package config
