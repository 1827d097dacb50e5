package services_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	titled  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are the places of a page that a link may name, as GitHub makes them.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range titled.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		title := linked.ReplaceAllString(m[1], "]")
		out[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(title), ""), " ", "-")] = true
	}
	return out
}

// TestLinksOfPagesLeadSomewhere: to a file that is there, and to a title in it.
func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || path != ".." && strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "target") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range linked.FindAllStringSubmatch(fenced.ReplaceAllString(string(b), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") || strings.HasPrefix(m[1], "/") {
				continue
			}
			seen++
			file, anchor, _ := strings.Cut(m[1], "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s is not there", path, m[1])
				continue
			}
			if anchor == "" || filepath.Ext(to) != ".md" {
				continue
			}
			target, err := os.ReadFile(to)
			if err != nil {
				return err
			}
			if !anchors(string(target))[anchor] {
				t.Errorf("%s: %s has no title #%s", path, to, anchor)
			}
		}
		return nil
	})
	if err != nil || seen < 50 {
		t.Errorf("%d links, %v", seen, err)
	}
}
