package cfnyaml

import (
	"strings"
	"testing"
)

// BenchmarkParse reads a template of about 500 kB.
func BenchmarkParse(b *testing.B) {
	one := "  Name%:\n    Type: AWS::EC2::Instance\n    Properties:\n      ImageId: !Ref Image\n      Tags:\n        - {Key: a, Value: !Sub \"${X}-y\"}\n      Size: 80\n"
	var src strings.Builder
	src.WriteString("Resources:\n")
	for i := range 3000 {
		src.WriteString(strings.ReplaceAll(one, "%", itoa(i)))
	}
	body := []byte(src.String())
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		n, _, err := Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		n.Long()
	}
}
