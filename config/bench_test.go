package config_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/deployer-cli/deployer/config"
)

// large is a project of n stacks in groups of fifty, each with Jinja.
func large(n int) fstest.MapFS {
	fsys := fstest.MapFS{
		"config/config.yaml":     {Data: []byte("project_code: demo\nregion: eu-west-1\nstack_tags: {Team: core}\nstack_tags_inheritance: merge\nimages: {web: web-1, api: api-2}\n")},
		"config/dev/config.yaml": {Data: []byte("environment: {class: development, break: {allow: true}}\nsize: t3.small\n")},
	}
	for i := range n {
		group := fmt.Sprintf("config/dev/g%03d", i/50)
		fsys[group+"/config.yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, "stack_tags: {Group: g%03d}\ncidr: 10.%d.0.0/16\n", i/50, i/50)}
		text := fmt.Sprintf(`template: {type: file, path: service.yaml}
dependencies:
  - dev/g000/s00000.yaml
parameters:
  Image: {{ stack_group_config.images.web }}
  Size: {{ size | default('t3.micro') }}
  Cidr: {{ cidr }}
  Count: %d
  Multi: true
  Vpc: !stack_output dev/g000/s00000.yaml::VpcId
  Subnets:
    - !stack_output dev/g000/s00000.yaml::SubnetA
    - !stack_output dev/g000/s00000.yaml::SubnetB
sceptre_user_data:
  items: [{name: a, port: 80}, {name: b, port: 443}]
stack_tags: {Service: s%05d}
`, i%7, i)
		fsys[fmt.Sprintf("%s/s%05d.yaml", group, i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// BenchmarkLoad measures design.md section 9: 5,000 stacks.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{100, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			fsys := large(n)
			b.ReportAllocs()
			for b.Loop() {
				p, err := config.Load(fsys, config.Options{CommandPath: "dev"})
				if err != nil || len(p.Stacks()) != n {
					b.Fatal(len(p.Stacks()), err)
				}
			}
			b.StopTimer()
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, _ := config.Load(fsys, config.Options{})
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
			runtime.KeepAlive(p)
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/stack")
		})
	}
}
