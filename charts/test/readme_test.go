package chart

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestTheReadmeIsCurrent compares it with what helm-docs makes of values.yaml: make chart-docs writes it.
func TestTheReadmeIsCurrent(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "tool", "helm-docs", "--chart-search-root="+chartDir, "--sort-values-order=file", "--dry-run")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(chartDir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(have)) != strings.TrimSpace(string(want)) {
		t.Errorf("%s: run make chart-docs", firstDifference(strings.TrimSpace(string(have)), strings.TrimSpace(string(want))))
	}
	for _, row := range regexp.MustCompile(`(?m)^\| .*\| *\|$`).FindAllString(string(have), -1) {
		t.Errorf("nothing says what this is: %s", row)
	}
}
