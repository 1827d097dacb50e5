package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEveryFaultAndEveryDurableStepHasItsTests(t *testing.T) {
	t.Parallel()
	for _, f := range slices.Concat(elsewhere, crashes) {
		for _, test := range f.tests {
			dir, name, _ := strings.Cut(test, " ")
			files, err := filepath.Glob(filepath.Join("../../..", dir, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, path := range files {
				src, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(src), "\nfunc "+name+"(t *testing.T)")
			}
			if !found {
				t.Errorf("%q: there is no test %s in %s", f.what, name, dir)
			}
		}
	}
}
