package session_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

const oldestNode = 20

// TestTheClientInNode runs the tests of the widget's client, also against the one file that browsers get.
func TestTheClientInNode(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "node", "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if n, _ := strconv.Atoi(major); err != nil || n < oldestNode {
		t.Skipf("the tests of the widget's client need node %d or newer in PATH; node --version: %q %v", oldestNode, out, err)
	}
	b := &browser{t: t, url: w.urls[0] + "/chat/" + w.channel(t, channel.Settings{})}
	status, f := b.call("GET", "/line.js", nil)
	served := filepath.Join(t.TempDir(), "line.mjs")
	if status != 200 || os.WriteFile(served, []byte(f["raw"].(string)), 0o600) != nil {
		t.Fatalf("line.js: %d", status)
	}
	tests, err := filepath.Glob("webtest/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatal("no tests", err)
	}
	for name, line := range map[string]string{"modules": "", "as served": served} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "node", append([]string{"--test", "--test-reporter=tap"}, tests...)...)
			cmd.Env = os.Environ()
			if line != "" {
				cmd.Args = []string{"node", "--test", "--test-reporter=tap", "webtest/line.test.js"}
				cmd.Env = append(cmd.Env, "LINE="+line)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
