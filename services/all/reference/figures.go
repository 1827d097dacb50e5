package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/proof"
)

// lastRun is docs/reference/promises.json: what the tests of the promises counted in the last run of make promises.
type lastRun struct {
	Commit  string          `json:"commit"`
	Day     string          `json:"day"`
	Machine string          `json:"machine"`
	Tests   []proof.Figures `json:"tests"`
}

// collect turns what the tests have appended to the file that PROMISES_OUT names into promises.json. Without it the figures stay
// those of the run before.
func collect(dir string) error {
	path := os.Getenv(proof.Out)
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	tests, err := proof.Collect(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	run := lastRun{
		Commit: os.Getenv("VERSION"), Day: time.Now().UTC().Format(time.DateOnly), Tests: tests,
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	b, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(figuresFile(dir), append(b, '\n'), 0o644)
}

func figuresFile(dir string) string { return filepath.Join(dir, "promises.json") }

// counted reads promises.json; there may have been no run yet.
func counted(dir string) (run lastRun, err error) {
	b, err := os.ReadFile(figuresFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return run, nil
	}
	if err != nil {
		return run, err
	}
	return run, json.Unmarshal(b, &run)
}

// figures writes the table of one promise: the tests that counted something and carry its number.
func (r lastRun) figures(w io.Writer, promise int) error {
	var rows strings.Builder
	for _, f := range r.Tests {
		if carries(f.Test, promise) {
			fmt.Fprintf(&rows, "| `%s` | %d | %d | %d | %d |\n", f.Test, f.Events, f.Faults, f.Lost, f.Doubled)
		}
	}
	if rows.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nFigures of the last run:\n\n| Test | Events | Faults injected | Lost | Doubled |\n|---|--:|--:|--:|--:|\n%s", &rows)
	return err
}
