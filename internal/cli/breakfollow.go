package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/internal/flow"
)

// follow looks up who imports what goes, and what the references came to by which
// others may name it. What is asked may bring up more to ask.
func (b *breaker) follow(ctx context.Context, f *blast.Facts) {
	for range 100 {
		if ask := blast.Unasked(f); len(ask) > 0 {
			b.importers(ctx, f, ask)
			continue
		}
		references := blast.Unresolved(f)
		if len(references) == 0 || ctx.Err() != nil {
			return
		}
		for i := range f.Stacks.Value {
			if seen := &f.Stacks.Value[i]; seen.Live != nil {
				b.resolve(ctx, seen, references[seen.Live.ID])
			}
		}
	}
}

// resolve reads what a stack's references to SSM parameters came to.
func (b *breaker) resolve(ctx context.Context, seen *blast.Seen, references []string) {
	values, blanks := make([]string, len(references)), make([]blast.Blank, len(references))
	flow.Each(ctx, reads, len(references), func(i int) { values[i], blanks[i] = b.parameter(ctx, seen, references[i]) })
	for i, r := range references {
		if seen.Resolved == nil {
			seen.Resolved, seen.Unresolved = map[string]string{}, map[string]blast.Blank{}
		}
		if blanks[i] == (blast.Blank{}) && ctx.Err() == nil {
			seen.Resolved[r] = values[i]
			continue
		}
		seen.Unresolved[r] = cmp.Or(blanks[i], blast.Blank{Why: "it was not asked"})
	}
}

// parameter reads what a reference came to when its stack was launched: a parameter that
// was changed since tells nothing of that, and a secret one is not read at all.
func (b *breaker) parameter(ctx context.Context, seen *blast.Seen, reference string) (string, blast.Blank) {
	name := strings.TrimPrefix(reference, "ssm:")
	p, err := b.s.cloud.Plain(ctx, b.access, name)
	_, nerr := strconv.Atoi(name[strings.LastIndexByte(name, ':')+1:])
	pinned := nerr == nil && strings.Contains(name, ":")
	switch {
	case err != nil:
		return "", blast.Blank{Why: err.Error(), Fix: cmp.Or(hintOf(err), "let the caller read it (ssm:GetParameter)")}
	case p.Secret:
		return "", blast.Blank{Why: "it is a SecureString, and no secret is read for this", Fix: fmt.Sprintf("keep what %s names in a parameter of type String", seen.Title())}
	case !pinned && p.Modified.After(seen.Live.Changed()):
		return "", blast.Blank{
			Why: "it was changed since that stack was, and what it was then is not known",
			Fix: fmt.Sprintf("launch %s, so that it has the value of now, or write the version into its template ({{resolve:ssm:%s:VERSION}})", seen.Title(), name),
		}
	}
	return p.Value, blast.Blank{}
}
