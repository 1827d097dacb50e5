package proof

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiguresOfOneTestAddUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	t.Setenv(Out, path)
	Report(t, Figures{Events: 10, Faults: 2, Lost: 1})
	t.Run("part", func(t *testing.T) { Report(t, Figures{Events: 5, Doubled: 3}) })
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Collect(f)
	want := []Figures{{Test: "TestFiguresOfOneTestAddUp", Events: 15, Faults: 2, Lost: 1, Doubled: 3}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
}

func TestABrokenLineIsNamed(t *testing.T) {
	t.Parallel()
	if _, err := Collect(strings.NewReader("{\"test\":\"a\"}\n{\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}
