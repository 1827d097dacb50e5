package channeltest

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
)

const opening, closing = "<!-- capabilities -->\n", "<!-- /capabilities -->"

// readme checks that the capability table of README.md is the one that Info gives.
func (r *runner) readme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), opening)
	have, after, closed := strings.Cut(rest, closing)
	if !ok || !closed {
		t.Fatalf("README.md needs the lines %s and %s, between which the capability table stands", strings.TrimSpace(opening), closing)
	}
	want := channel.Table(r.adapter.Info())
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("README.md is not current; run go test -update (-want +have)\n%s", cmp.Diff(want, have))
	}
	if err := os.WriteFile("README.md", []byte(before+opening+want+closing+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
