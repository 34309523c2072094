package store_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/deployer-cli/deployer/internal/sandbox/store"
)

const benchStacks = 10_000

func benchEach(b *testing.B, run func(b *testing.B, s db)) {
	b.Helper()
	for name, open := range both() {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			update(b, s, func(tx store.Tx) error {
				for i := range benchStacks {
					if err := tx.Put("stacks", fmt.Sprintf("stack-%05d", i), bytes.Repeat([]byte{'x'}, 600)); err != nil {
						return err
					}
				}
				return nil
			})
			run(b, s)
		})
	}
}

func BenchmarkRead(b *testing.B) {
	benchEach(b, func(b *testing.B, s db) {
		i := 0
		for b.Loop() {
			i = (i + 7919) % benchStacks
			if _, ok := get(b, s, "stacks", fmt.Sprintf("stack-%05d", i)); !ok {
				b.Fatal("missing")
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	benchEach(b, func(b *testing.B, s db) {
		value := bytes.Repeat([]byte{'y'}, 600)
		i := 0
		for b.Loop() {
			i = (i + 7919) % benchStacks
			update(b, s, func(tx store.Tx) error { return tx.Put("stacks", fmt.Sprintf("stack-%05d", i), value) })
		}
	})
}

func BenchmarkScan100(b *testing.B) {
	benchEach(b, func(b *testing.B, s db) {
		for b.Loop() {
			n := 0
			err := s.View(b.Context(), func(tx store.Tx) error {
				return tx.Scan("stacks", "stack-", "stack-05000", func(string, []byte) bool { n++; return n < 100 })
			})
			if err != nil || n != 100 {
				b.Fatal(n, err)
			}
		}
	})
}
