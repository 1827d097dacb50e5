// Package proof lets the tests of promises say what they counted, so that the documents can show it (make promises).
package proof

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// Out is the environment variable that names the file to which tests append; unset, nothing is written.
const Out = "PROMISES_OUT"

// Figures are what one test counted.
type Figures struct {
	Test    string `json:"test"`    // the name of the test function, which carries the numbers of the promises
	Events  int    `json:"events"`  // acknowledged: webhooks, sends, receipts, actions
	Faults  int    `json:"faults"`  // injected: processes killed, servers cut off, calls that failed
	Lost    int    `json:"lost"`    // acknowledged and not there in the end
	Doubled int    `json:"doubled"` // there, or at the provider, more than once
}

// Report writes figures under the name of the test function to the file that [Out] names, and into the test's log. It does not
// judge: the test itself fails if something was lost or doubled.
func Report(t testing.TB, f Figures) {
	t.Helper()
	f.Test, _, _ = strings.Cut(t.Name(), "/")
	t.Logf("events %d, faults %d, lost %d, doubled %d", f.Events, f.Faults, f.Lost, f.Doubled)
	path := os.Getenv(Out)
	if path == "" {
		return
	}
	if err := f.appendTo(path); err != nil {
		t.Errorf("%s=%s: %v", Out, path, err)
	}
}

// appendTo writes one line in one call, so that packages tested side by side can share the file.
func (f Figures) appendTo(path string) (err error) {
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = out.Write(append(line, '\n'))
	return err
}

// Collect reads what tests have appended and adds up the lines of each test, sorted by name.
func Collect(r io.Reader) ([]Figures, error) {
	byName := map[string]Figures{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var f Figures
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		sum := byName[f.Test]
		byName[f.Test] = Figures{f.Test, sum.Events + f.Events, sum.Faults + f.Faults, sum.Lost + f.Lost, sum.Doubled + f.Doubled}
	}
	out := make([]Figures, 0, len(byName))
	for _, f := range byName {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Figures) int { return strings.Compare(a.Test, b.Test) })
	return out, lines.Err()
}
