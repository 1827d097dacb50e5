package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// alerts loads the rules.
func alerts(t *testing.T) (all []*rules.AlertingRule) {
	t.Helper()
	m := rules.NewManager(&rules.ManagerOptions{Context: context.Background(), Logger: slog.New(slog.DiscardHandler), Parser: parser.NewParser(parser.Options{})})
	groups, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, ruleFile)
	if errs != nil {
		t.Fatal(errs)
	}
	for _, g := range groups {
		for _, r := range g.Rules() {
			a, ok := r.(*rules.AlertingRule)
			if !ok {
				t.Fatalf("%s is no alert", r.Name())
			}
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		t.Fatal("no alerts")
	}
	return all
}

// metric is what the reference says of a metric, which the services' own test compares with what they show.
type metric struct {
	kind   string
	labels []string
}

var line = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)`\\*? \\| ([a-z]+) \\| ([a-z0-9_, ]*) \\|")

func shown(t *testing.T) map[string]metric {
	t.Helper()
	b, err := os.ReadFile("../../docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]metric{}
	for _, m := range line.FindAllStringSubmatch(string(b), -1) {
		all[m[1]] = metric{m[2], append(strings.Split(m[3], ", "), "job", "instance", "le")}
	}
	if len(all) < 20 {
		t.Fatalf("the reference has %d metrics", len(all))
	}
	return all
}

// runtime are what every Go process shows by the client library of Prometheus.
var runtime = regexp.MustCompile(`^(go_(goroutines|memstats_heap_inuse_bytes)|process_(cpu_seconds_total|resident_memory_bytes|open_fds)|target_info)$`)

// wrong says what an expression asks for that nobody shows: a metric, or a label of it.
func wrong(all map[string]metric, expr string) (problems []string) {
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok || runtime.MatchString(v.Name) {
			return nil
		}
		m, ok := all[v.Name]
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if of, found := all[strings.TrimSuffix(v.Name, suffix)]; !ok && found && of.kind == "histogram" {
				m, ok = of, true
			}
		}
		if !ok {
			problems = append(problems, "nothing shows "+v.Name)
			return nil
		}
		for _, l := range v.LabelMatchers {
			if l.Name != "__name__" && !slices.Contains(m.labels, l.Name) {
				problems = append(problems, v.Name+" has no label "+l.Name)
			}
		}
		return nil
	})
	return problems
}

// variables are Grafana's, which are no part of the language.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*")

func TestDashboardsAskForWhatIsShown(t *testing.T) {
	t.Parallel()
	all := shown(t)
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	asked := map[string]bool{}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		same, err := os.ReadFile(filepath.Join("../../charts/tributary/files/dashboards", filepath.Base(path)))
		if err != nil || !bytes.Equal(b, same) {
			t.Errorf("%s: the chart has another: make dashboards copies it (%v)", path, err)
		}
		var d struct {
			UID, Title string
			Panels     []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(b, &d); err != nil || d.UID == "" || len(d.Panels) == 0 {
			t.Fatalf("%s: %v, %d panels", path, err, len(d.Panels))
		}
		for _, p := range d.Panels {
			if len(p.Targets) == 0 {
				t.Errorf("%s: %s shows nothing", path, p.Title)
			}
			for _, target := range p.Targets {
				expr := variables.Replace(target.Expr)
				for _, problem := range wrong(all, expr) {
					t.Errorf("%s: %s: %s", filepath.Base(path), p.Title, problem)
				}
				for name := range all {
					asked[name] = asked[name] || strings.Contains(expr, name)
				}
			}
		}
	}
	for name := range all {
		if name != "messaging_client_sent_messages_total" && !asked[name] { // it is in the histogram of publishing
			t.Errorf("no dashboard shows %s", name)
		}
	}
}

func TestAlertsAskForWhatIsShown(t *testing.T) {
	t.Parallel()
	all := shown(t)
	for _, r := range alerts(t) {
		for _, problem := range wrong(all, r.Query().String()) {
			t.Errorf("%s: %s", r.Name(), problem)
		}
	}
}

func TestWhatNobodyShowsIsFound(t *testing.T) {
	t.Parallel()
	all := shown(t)
	for expr, bad := range map[string]int{
		`tributary_webhook_received_total{result="x"}`:           0,
		`rate(tributary_e2e_latency_seconds_bucket{le="5"}[5m])`: 0,
		`go_goroutines`:                                     0,
		`tributary_webhook_received`:                        1,
		`tributary_webhook_received_total{tenant="x"}`:      1,
		`rate(tributary_webhook_received_total_bucket[5m])`: 1,
		`sum(rate(tributary_made_up_total[5m])) / sum(up)`:  2,
		`sum(`: 1,
	} {
		if got := wrong(all, expr); len(got) != bad {
			t.Errorf("%s: %q", expr, got)
		}
	}
}
