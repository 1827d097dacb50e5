// Package report is what the measurements say: tables for the terminal and for the document.
package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Table is the figures of one measurement.
type Table struct {
	Title  string
	Note   string // what was measured, and how
	Header []string
	Rows   [][]string
}

// Add appends a row; values are printed as they are, durations in milliseconds.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = text(c)
	}
	t.Rows = append(t.Rows, row)
}

func text(c any) string {
	switch v := c.(type) {
	case time.Duration:
		return Milliseconds(v)
	case float64:
		if v >= 100 {
			return Thousands(int64(v + 0.5))
		}
		return fmt.Sprintf("%.2f", v)
	case int:
		return Thousands(int64(v))
	case int64:
		return Thousands(v)
	}
	return fmt.Sprint(c)
}

// Milliseconds writes a duration with a precision that fits it.
func Milliseconds(d time.Duration) string {
	ms := float64(d) / 1e6
	switch {
	case ms >= 100:
		return Thousands(int64(ms+0.5)) + " ms"
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 1:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.3f ms", ms)
}

// Thousands groups digits: 12,345.
func Thousands(n int64) string {
	if n < 0 {
		return "-" + Thousands(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size in MB.
func Bytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// Print writes the table for a terminal.
func (t *Table) Print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "\n%s\n", t.Title); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		if _, err := fmt.Fprintln(tw, "  "+strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// Markdown is the table for a document.
func (t *Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", t.Title)
	if t.Note != "" {
		b.WriteString(t.Note + "\n\n")
	}
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(t.Header)
	b.WriteString("|" + strings.Repeat("---|", len(t.Header)) + "\n")
	for _, r := range t.Rows {
		line(r)
	}
	return b.String()
}
