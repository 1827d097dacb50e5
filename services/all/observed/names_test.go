package observed

import (
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tributaryhq/tributary/pkg/telemetry/label/labeltest"
)

// The rule of names, as Prometheus shows them. What is ours begins with tributary_; what OpenTelemetry's conventions name has their name.
var (
	ours     = regexp.MustCompile(`^tributary(_[a-z0-9]+)+$`)
	standard = regexp.MustCompile(`^((http_server|http_client|messaging|db_client)_[a-z_]+|(go|process)_[a-z0-9_]+|target_info)$`)
	unit     = regexp.MustCompile(`_(seconds|bytes)$`)
	tenants  = regexp.MustCompile(`(?i)tenant|channel_id|conversation|contact|peer|user|message_id|agent`)
)

// broken says what is wrong with the name or the labels of a metric; nothing if it keeps the rule.
func broken(f *dto.MetricFamily) (wrong []string) {
	name := f.GetName()
	say := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, name+": "+what)
		}
	}
	say(!ours.MatchString(name) && !standard.MatchString(name), "is neither tributary_<what>_<of it> nor a name of a convention")
	if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || name == "target_info" {
		return wrong
	}
	counter := f.GetType() == dto.MetricType_COUNTER
	say(counter != strings.HasSuffix(name, "_total"), "counters, and they alone, end in _total")
	say(f.GetType() == dto.MetricType_HISTOGRAM && !unit.MatchString(name), "a histogram ends in its unit")
	say(len(f.GetHelp()) < 10, "says not what it is")
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			say(tenants.MatchString(l.GetName()), "has the label "+l.GetName()+", of which there may be any number")
		}
	}
	return wrong
}

// families reads the metrics of the world.
func (w *world) families() map[string]*dto.MetricFamily {
	w.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(w.scrape(plainText)))
	w.ok(err)
	return all
}

func TestTheRuleOfNames(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	kind := func(k dto.MetricType) *dto.MetricType { return &k }
	for name, c := range map[string]struct {
		kind dto.MetricType
		help string
		lab  string
		bad  int
	}{
		"tributary_things_total":               {dto.MetricType_COUNTER, "Things that were seen.", "channel_type", 0},
		"tributary_thing_seconds":              {dto.MetricType_HISTOGRAM, "How long a thing takes.", "result", 0},
		"http_server_request_duration_seconds": {dto.MetricType_HISTOGRAM, "How long a request takes.", "http_route", 0},
		"tributary_things":                     {dto.MetricType_COUNTER, "Things that were seen.", "channel_type", 1},
		"tributary_open_total":                 {dto.MetricType_GAUGE, "Things that are open.", "state", 1},
		"tributary_thing_duration":             {dto.MetricType_HISTOGRAM, "How long a thing takes.", "result", 1},
		"things_seen_total":                    {dto.MetricType_COUNTER, "Things that were seen.", "result", 1},
		"tributary_Things_total":               {dto.MetricType_COUNTER, "Things that were seen.", "result", 1},
		"tributary_mute_total":                 {dto.MetricType_COUNTER, "", "result", 1},
		"tributary_by_tenant_total":            {dto.MetricType_COUNTER, "Things that were seen.", "tenant", 1},
	} {
		f := &dto.MetricFamily{Name: text(name), Help: text(c.help), Type: kind(c.kind), Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: text(c.lab), Value: text("x")}}}}}
		if got := broken(f); len(got) != c.bad {
			t.Errorf("%s: %q, %d wanted", name, got, c.bad)
		}
	}
}

func (w *world) checkNames() {
	w.Helper()
	for _, f := range w.families() {
		for _, wrong := range broken(f) {
			w.Error(wrong)
		}
	}
	all, err := labeltest.Read(strings.NewReader(w.scrape(plainText)))
	w.ok(err)
	for _, series := range all {
		if wrong := series.Unknown(); wrong != nil {
			w.Errorf("%v from no closed set: %s", wrong, series)
		}
	}
}
