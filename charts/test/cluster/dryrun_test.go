package cluster

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheServerTakesEverySet asks the apiserver whether it would take what each value set renders to: it knows more than schemas do.
func TestTheServerTakesEverySet(t *testing.T) {
	s := newStand(t, "sets", "standalone")
	s.run("kubectl", "create", "namespace", "messaging")
	s.run("kubectl", "create", "priorityclass", "high", "--value=1000")
	files, err := filepath.Glob(sets + "*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%q %v", files, err)
	}
	more, err := filepath.Glob("../../tributary/values-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, more...) {
		text := s.run("helm", "template", s.release, "../../tributary", "-n", s.ns, "-f", f)
		cmd := exec.CommandContext(t.Context(), "kubectl", "-n", s.ns, "apply", "--dry-run=server", "--validate=strict", "-f", "-")
		if strings.Contains(text, "namespace: messaging\n") {
			cmd.Args[2] = "messaging"
		}
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning") {
			t.Errorf("%s: %v\n%s", f, err, out)
		}
	}
}
