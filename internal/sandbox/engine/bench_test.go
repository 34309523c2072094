package engine

import (
	"fmt"
	"testing"
)

// tall is a store with 10,000 living stacks, made by copying one.
func tall(b *testing.B) *world {
	b.Helper()
	w := newWorld(b)
	w.e = New(Config{Limit: 20000})
	w.create("first", oneParameter)
	w.settle()
	s := newSession(w.e, w.tx, w.now)
	s.acct = home
	first := s.find("first")
	for i := range 10000 {
		st := s.newStack(fmt.Sprintf("stack-%05d", i))
		st.Status, st.Now = createComplete, first.Now
		s.register(st)
		s.save(st)
	}
	if err := s.flush(); err != nil {
		b.Fatal(err)
	}
	return w
}

// indexed is a transaction whose scans find their place at once, as a
// database does; the plain one sorts all keys first.
type indexed struct{ *memory }

func (m indexed) Scan(table, prefix, after string, yield func(string, []byte) bool) error {
	if table != "summary" && len(m.tables[table]) > 1000 {
		return fmt.Errorf("scan of all %s", table)
	}
	return m.memory.Scan(table, prefix, after, yield)
}

func BenchmarkDescribeOneOfTenThousand(b *testing.B) {
	w := tall(b)
	in := &DescribeStacksInput{StackName: "stack-05000"}
	for b.Loop() {
		if _, err := w.e.Call(indexed{w.tx}, w.now, home, "DescribeStacks", in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreateAmongTenThousand(b *testing.B) {
	w := tall(b)
	for b.Loop() {
		b.StopTimer()
		tx := indexed{w.tx}
		in := &CreateStackInput{StackName: fmt.Sprintf("new-%d", w.updates), TemplateBody: oneParameter}
		w.updates++
		b.StartTimer()
		if _, err := w.e.Call(tx, w.now, home, "CreateStack", in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListTenThousand(b *testing.B) {
	w := tall(b)
	for b.Loop() {
		if _, err := w.e.Call(w.tx, w.now, home, "ListStacks", &ListStacksInput{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLaunchOf100Resources measures a whole creation of a wide stack.
func BenchmarkLaunchOf100Resources(b *testing.B) {
	template := topics(100)
	for b.Loop() {
		w := newWorld(b)
		w.create("wide", template)
		w.settle()
	}
}
