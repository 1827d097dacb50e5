package observed

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

var update = flag.Bool("update", false, "write docs/reference/metrics.md")

const reference = "../../../docs/reference/metrics.md"

const preface = `# Metrics

What ` + "`/metrics`" + ` on the admin address shows of a process with all services in it, beside what the Go runtime tells of itself (` + "`go_…`, `process_…`" + `).
Names: what is Tributary's own begins with ` + "`tributary_`" + `, what OpenTelemetry's conventions name has their name; counters end in ` + "`_total`" + `,
histograms in their unit. No label names a tenant, a channel, a conversation or a person: there may be any number of them; channels that the
operator names in ` + "`TRIBUTARY_WATCHED_CHANNELS`" + ` are the one exception. Histograms
carry exemplars with ` + "`trace_id`" + ` where tracing is on and the format is OpenMetrics. Metrics marked * are there only once it has happened.

This page is written by a test (` + "`make update`" + `), and compared with what the services show at every run of the tests.

| Metric | Type | Labels | What it tells |
|---|---|---|---|
`

// rare are metrics that a healthy platform may not show, and their lines.
var rare = map[string]string{
	"tributary_blob_collected_bytes_total":        "| counter |  | Bytes of files that were deleted because nothing refers to them. |",
	"tributary_channel_silence_allowed_seconds":   "| gauge | channel, channel_type | From which silence on the operator wants to be told of a channel. |",
	"tributary_channel_silence_seconds":           "| gauge | channel, channel_type | How long nobody has written to a channel that the operator watches (TRIBUTARY_WATCHED_CHANNELS). |",
	"tributary_consumer_offset_jumps_total":       "| counter | messaging_consumer_group_name, messaging_destination_name, messaging_destination_partition_id | Records that were gone before they were read. |",
	"tributary_consumer_paused":                   "| gauge | messaging_consumer_group_name, messaging_destination_name, messaging_destination_partition_id | Partitions that have stopped because the store or broker is away. |",
	"tributary_consumer_rebuilds_total":           "| counter | messaging_consumer_group_name | Group clients rebuilt because they made no progress. |",
	"tributary_inbound_duplicates_total":          "| counter | channel_type | Messages that were in the inbox already, by channel type. |",
	"tributary_profile_lookups_total":             "| counter | channel_type, result | Look-ups of people by channel type and result. |",
	"tributary_provider_credentials_left_seconds": "| gauge | channel_type | Until the first of the credentials ends of which the provider says when they do, by channel type; below 0 once they have. |",
	"tributary_receipts_unclaimed_total":          "| counter |  | Receipts of messages that no attempt is known of. |",
	"tributary_routing_net_repairs_total":         "| counter |  | Conversations that only the safety net of routing has found. |",
	"tributary_timer_lateness_seconds":            "| histogram | timer | How long after its time a timer has fired, by its kind. |",
}

// failures have the label error_type once one of them went wrong.
var failures = []string{"http_client_", "db_client_", "messaging_", "tributary_provider_call_"}

// row is the line of the reference about a metric.
func row(f *dto.MetricFamily) string {
	labels := map[string]bool{}
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = true
		}
	}
	for _, prefix := range failures {
		if strings.HasPrefix(f.GetName(), prefix) {
			labels["error_type"] = true
		}
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(slices.Sorted(maps.Keys(labels)), ", "), f.GetHelp())
}

// told is what the page says about each metric.
func told(page string) map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			rows[name] = strings.TrimSpace(line)
		}
	}
	return rows
}

// suffer lets happen what operators are warned of: a forged call, a provider that limits, and one that fails.
func (w *world) suffer() {
	w.Helper()
	if s := w.webhook(`"x":1`, "another secret"); s != http.StatusUnauthorized && s != http.StatusForbidden {
		w.Errorf("a forged call was answered %d", s)
	}
	conversation := w.assigned()
	for _, status := range []int64{http.StatusInternalServerError, http.StatusTooManyRequests} {
		w.refuses.Store(status)
		for range 6 {
			w.do("POST", "/v1/conversations/"+conversation+"/messages", "", map[string]string{"text": answer}, nil)
		}
		metric := map[int64]string{http.StatusTooManyRequests: "tributary_provider_ratelimited_total", http.StatusInternalServerError: `tributary_breaker_state{channel_type="whatsapp",state="open"} 1`}[status]
		w.eventually(metric, func() bool { return strings.Contains(w.scrape(plainText), metric) })
	}
	if s := w.asks("wamid.IN1", question); s != http.StatusOK { // as providers do
		w.Errorf("a repeated webhook was answered %d", s)
	}
}

// TestWhatTheMetricsAre compares the metrics of a platform that has lived with the reference, which dashboards and alerts rest on.
func TestWhatTheMetricsAre(t *testing.T) { //nolint:paralleltest // telemetry is the process's
	w := newWorld(t)
	w.converse()
	w.suffer()
	w.checkNames()
	shown := map[string]string{}
	for name, f := range w.families() {
		if strings.HasPrefix(name, "tributary_") || strings.Contains(name, "_client_") || strings.HasPrefix(name, "http_") || strings.HasPrefix(name, "messaging_") {
			shown[name] = row(f)
		}
	}
	w.secretive(w.scrape(plainText) + w.scrape(openMetrics))
	for name, line := range rare {
		shown[name] = "| `" + name + "`* " + line
	}
	if *update {
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(shown)) {
			lines = append(lines, shown[name]+"\n")
		}
		w.ok(os.WriteFile(reference, []byte(preface+strings.Join(lines, "")), 0o600))
		return
	}
	b, err := os.ReadFile(reference)
	w.ok(err)
	page := told(string(b))
	for name, line := range shown {
		if page[name] != line {
			t.Errorf("%s is shown as\n%s\nand told as\n%s\nmake update writes %s anew", name, line, page[name], reference)
		}
	}
	for name := range page {
		if shown[name] == "" {
			t.Errorf("%s is told, and nothing shows it", name)
		}
	}
}
