package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/report"
)

func TestADocumentKeepsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(path, []byte("# P\n\n<!-- bench:single -->\nold\n<!-- /bench:single -->\n\nby hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	table := &report.Table{Title: "Speed", Note: "why", Header: []string{"what", "how much"}}
	table.Add("calls", 12345)
	table.Add("p50", 1500*time.Microsecond)
	table.Add("rate", 1234.6)
	for range 2 { // a second time replaces the first
		if err := report.Write(path, "single", report.About("abc"), []*report.Table{table}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for _, want := range []string{"by hand", "| calls | 12,345 |", "| p50 | 1.5 ms |", "| rate | 1,235 |", "| commit | abc |", "why"} {
		if strings.Count(doc, want) != 1 {
			t.Errorf("%q is there %d times: %s", want, strings.Count(doc, want), doc)
		}
	}
	if strings.Contains(doc, "old") {
		t.Error("the old tables are still there")
	}
	if err := report.Write(path, "distributed", "", nil); err == nil {
		t.Error("a part that is not there was written")
	}
	var out bytes.Buffer
	if err := table.Print(&out); err != nil || !strings.Contains(out.String(), "12,345") {
		t.Errorf("%v %s", err, &out)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := report.Thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0.000 ms", 12345 * time.Nanosecond: "0.012 ms", 15 * time.Millisecond: "15 ms", 2 * time.Second: "2,000 ms"} {
		if got := report.Milliseconds(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
