package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/proof"
)

func TestFiguresStandUnderTheirPromises(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.jsonl")
	t.Setenv("VERSION", "v0-test")
	t.Setenv(proof.Out, out)
	lines := `{"test":"TestP3_P13_Sample","events":7,"faults":2,"lost":0,"doubled":0}
{"test":"TestP3_P13_Sample","events":5,"faults":1,"lost":0,"doubled":1}
`
	if err := os.WriteFile(out, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := collect(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv(proof.Out, "") // a later run of the generator keeps what was counted
	if err := collect(dir); err != nil {
		t.Fatal(err)
	}
	run, err := counted(dir)
	if err != nil {
		t.Fatal(err)
	}
	for promise, want := range map[int]bool{1: false, 3: true, 13: true} {
		var b bytes.Buffer
		if err := run.figures(&b, promise); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "| `TestP3_P13_Sample` | 12 | 3 | 0 | 1 |"); got != want {
			t.Errorf("P%d: %q", promise, b.String())
		}
	}
	if run.Commit != "v0-test" {
		t.Errorf("commit %q", run.Commit)
	}
}

func TestNoRunYetIsNoError(t *testing.T) {
	t.Parallel()
	run, err := counted(t.TempDir())
	if err != nil || len(run.Tests) != 0 {
		t.Errorf("%v %v", run, err)
	}
}
