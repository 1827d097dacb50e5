package report

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// About says what was measured where: machine, versions, commit, date.
func About(commit string) string {
	var b strings.Builder
	line := func(k, v string) { fmt.Fprintf(&b, "| %s | %s |\n", k, v) }
	b.WriteString("| | |\n|---|---|\n")
	line("commit", commit)
	line("date", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	line("processor", fmt.Sprintf("%d × %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name")))
	line("memory", field("/proc/meminfo", "MemTotal"))
	line("system", strings.Trim(field("/etc/os-release", "PRETTY_NAME"), `"`)+", Linux "+kernel())
	line("Go", strings.TrimPrefix(runtime.Version(), "go"))
	return b.String()
}

// field is the value of a line "name: value" or "name=value" of a file; "" if there is none.
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		k, v, ok := strings.Cut(line, ":")
		if !ok {
			k, v, _ = strings.Cut(line, "=")
		}
		if strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Write replaces one part of a document, which stands between the comments <!-- bench:part --> and <!-- /bench:part -->. The
// rest was written by people and stays.
func Write(path, part, about string, tables []*Table) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := fmt.Appendf(nil, "<!-- bench:%s -->", part), fmt.Appendf(nil, "<!-- /bench:%s -->", part)
	from, to := bytes.Index(doc, begin), bytes.Index(doc, end)
	if from < 0 || to < from {
		return errors.New(path + ": there is no part " + part)
	}
	var b bytes.Buffer
	b.Write(doc[:from+len(begin)])
	b.WriteString("\n\n" + about + "\n")
	for _, t := range tables {
		b.WriteString(t.Markdown() + "\n")
	}
	b.Write(doc[to:])
	return os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // a public document
}
