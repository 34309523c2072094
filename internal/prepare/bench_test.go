package prepare_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/deployer-cli/deployer/internal/prepare"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// BenchmarkSources5000 drafts 5,000 stacks that share ten templates, half of
// them rendered.
func BenchmarkSources5000(b *testing.B) {
	fsys := fstest.MapFS{}
	for i := range 5 {
		fsys[fmt.Sprintf("templates/t%d.yaml", i)] = &fstest.MapFile{Data: []byte(open)}
		fsys[fmt.Sprintf("templates/t%d.j2", i)] = &fstest.MapFile{Data: []byte(open + "  T{{ sceptre_user_data.n }}: {Type: AWS::SNS::Topic}\n")}
	}
	var sts []*stacks.Stack
	for i := range 5000 {
		sts = append(sts, stack(parameters(field("A", call("ssm", "/list"))), func(st *stacks.Stack) {
			st.Template.Path = fmt.Sprintf("t%d.%s", i%5, []string{"yaml", "j2"}[i%2])
			st.UserData = mapping(field("n", stacks.String(fmt.Sprint(i%20))))
		}))
	}
	b.ReportAllocs()
	for b.Loop() {
		l := templates.NewLoader(fsys, templates.Options{})
		p := prepare.New(prepare.Ports{Resolver: known, Renderer: l, Parser: l, Files: fsys})
		drafts, err := p.Sources(b.Context(), sts)
		if err != nil || drafts[4999].Template == nil {
			b.Fatal(err, drafts[4999].Err)
		}
	}
}
