package services_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const models = "../docs/models"

var (
	sectionHead = regexp.MustCompile(`(?m)^## (\w+\.pml)\n`)
	ruleRow     = regexp.MustCompile(`(?m)^\| (\w+) \|`)
	citedBy     = regexp.MustCompile("(?s)Cited by (`.*?)\\.\\s")
	quoted      = regexp.MustCompile("`([^`]+)`")

	fileCited   = regexp.MustCompile(`[\w./…-]*[\w…-]\.(?:md|pml)\b`)
	section     = regexp.MustCompile(`§`)
	rfcSection  = regexp.MustCompile(`RFC \d+(?:,? section)? ?§`)
	rulesCited  = regexp.MustCompile(`\bR(\d+)(?:(?:–| to )R(\d+))?\b`)
	bracketed   = regexp.MustCompile(`\(R(\d+)(?:(?:–| to )R(\d+))?\b`)
	wordCited   = regexp.MustCompile(`\brules? ([A-Z]{2,})\b`)
	properties  = regexp.MustCompile(`\b([AE])([1-9])(?:(?:–| to )[AE]([1-9]))?\b`)
	placeholder = []string{"README.md"} // of whichever folder is talked about
)

// model is a section of docs/models/README.md: the rules of a file and the folders whose comments cite them.
type model struct {
	file    string
	rules   map[string]bool
	folders []string
}

func readModels(t testing.TB) (all []model) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(models, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	heads := sectionHead.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		m, body := model{file: text[h[2]:h[3]], rules: map[string]bool{}}, text[h[1]:end]
		for _, row := range ruleRow.FindAllStringSubmatch(body, -1) {
			if row[1] != "Rule" {
				m.rules[row[1]] = true
			}
		}
		if by := citedBy.FindStringSubmatch(body); by != nil {
			for _, q := range quoted.FindAllStringSubmatch(by[1], -1) {
				m.folders = append(m.folders, q[1])
			}
		}
		all = append(all, m)
	}
	return all
}

func TestTheModelsHaveTheRulesThatTheirReadmeNames(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(models, "*.pml"))
	if err != nil {
		t.Fatal(err)
	}
	all := readModels(t)
	if len(all) != len(files) {
		t.Errorf("the page has %d models, the folder %d", len(all), len(files))
	}
	for _, m := range all {
		b, err := os.ReadFile(filepath.Join(models, m.file))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.rules) == 0 || len(m.folders) == 0 {
			t.Errorf("%s: the page names no rules, or no folder that cites them", m.file)
		}
		for r := range m.rules {
			if !regexp.MustCompile(`\b` + r + `\b`).Match(b) {
				t.Errorf("%s has no rule %s", m.file, r)
			}
		}
	}
}

// Comments cite only what a reader of the repository can open: files that are there, and rules of docs/models.
func TestWhatCommentsCiteIsInTheRepository(t *testing.T) {
	t.Parallel()
	all := readModels(t)
	for _, root := range []string{"../pkg", "../services", "../deploy"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".gen.go") {
				return err
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, c := range f.Comments {
				for _, what := range notThere(all, path, c) {
					t.Errorf("%s: a comment cites %s, which is not in the repository", fset.Position(c.Pos()), what)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// notThere returns what a comment of a file cites that is not there.
func notThere(all []model, path string, c *ast.CommentGroup) (missing []string) {
	text := strings.Join(strings.Fields(c.Text()), " ")
	folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
	files := fileCited.FindAllString(text, -1)
	for _, name := range files {
		beside, inRoot := filepath.Join(filepath.Dir(path), name), filepath.Join("..", name)
		if !slices.Contains(placeholder, name) && !exists(beside) && !exists(inRoot) {
			missing = append(missing, name)
		}
	}
	if len(section.FindAllString(text, -1)) > len(rfcSection.FindAllString(text, -1)) {
		missing = append(missing, "a section (§) that is not of an RFC")
	}
	known := rulesFor(all, folder, files)
	for _, r := range cited(text, known != nil) {
		if !known[r] {
			missing = append(missing, "rule "+r)
		}
	}
	return missing
}

// rulesFor returns the rules that comments of a folder may cite: those of the models that a comment names, else those
// of the models that name the folder; nil if there are none.
func rulesFor(all []model, folder string, files []string) map[string]bool {
	var known map[string]bool
	for _, m := range all {
		named := slices.Contains(files, "docs/models/"+m.file)
		in := func(f string) bool { return folder == f || strings.HasPrefix(folder, f+"/") }
		if !named && !slices.ContainsFunc(m.folders, in) {
			continue
		}
		if known == nil {
			known = map[string]bool{}
		}
		for r := range m.rules {
			known[r] = true
		}
	}
	return known
}

// cited returns the numbers and names of rules in a comment. Where no model is cited, R2 is also the name of a product,
// and A1 and E1, the numbers of properties, mean other things: there only a number in brackets counts.
func cited(text string, all bool) (rules []string) {
	numbers := func(letter, from, to string) {
		first, _ := strconv.Atoi(from)
		last, _ := strconv.Atoi(to)
		for n := first; n <= max(first, last); n++ {
			rules = append(rules, letter+strconv.Itoa(n))
		}
	}
	inText := bracketed
	if all {
		inText = rulesCited
	}
	for _, m := range inText.FindAllStringSubmatch(text, -1) {
		numbers("R", m[1], m[2])
	}
	for _, m := range wordCited.FindAllStringSubmatch(text, -1) {
		rules = append(rules, m[1])
	}
	if all {
		for _, m := range properties.FindAllStringSubmatch(text, -1) {
			numbers(m[1], m[2], m[3])
		}
	}
	return rules
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestACitationIsFound(t *testing.T) {
	t.Parallel()
	rules := map[string]bool{"R9": true, "R10": true, "BUSY": true, "A3": true}
	all := []model{{file: "routing.pml", rules: rules, folders: []string{"services/routing"}}}
	for text, want := range map[string]int{
		"// room is believed only from there (R9).":       0,
		"// the rules are R9–R11":                         1,
		"// rule BUSY: something is open":                 0,
		"// rule LAZY":                                    1,
		"// docs/ARCHITECTURE.md and docs/nothing.md":     1,
		"// as docs/models/routing.pml has it":            0,
		"// as models/routing.pml has it":                 1,
		"// see §4, and RFC 6454 §6.2":                    1,
		"// RFC 6454 §6.2":                                0,
		"// A3 allows it, A4 does not":                    1,
		"// nothing of the kind: GR9, R9x, rulers of all": 0,
	} {
		c := &ast.CommentGroup{List: []*ast.Comment{{Text: text}}}
		if got := notThere(all, "../services/routing/decide/look.go", c); len(got) != want {
			t.Errorf("%s: %v, want %d", text, got, want)
		}
	}
	c := &ast.CommentGroup{List: []*ast.Comment{{Text: "// (R9)"}}}
	if got := notThere(all, "../services/inbox/rest/act.go", c); len(got) != 1 {
		t.Errorf("a rule of another folder: %v", got)
	}
}
