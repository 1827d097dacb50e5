package observed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// tree is a trace: its spans by their ids.
type tree map[trace.SpanID]tracetest.SpanStub

// of returns the trace that a span is in.
func (w *world) of(id trace.TraceID) tree {
	t := tree{}
	for _, s := range w.spans.GetSpans() {
		if s.SpanContext.TraceID() == id {
			t[s.SpanContext.SpanID()] = s
		}
	}
	return t
}

// path is how a span came to be: the names from the root of its trace down to it.
func (t tree) path(s tracetest.SpanStub) string {
	up, ok := t[s.Parent.SpanID()]
	if !ok {
		return s.Name
	}
	return t.path(up) + " > " + s.Name
}

// has reports whether some span of the trace came by these, in this order, whatever lies between.
func (t tree) has(names ...string) bool {
	for _, s := range t {
		steps, n := strings.Split(t.path(s), " > "), 0
		for _, step := range steps {
			if n < len(names) && step == names[n] {
				n++
			}
		}
		if n == len(names) {
			return true
		}
	}
	return false
}

// String is the tree as people read it.
func (t tree) String() string {
	var paths []string
	for _, s := range t {
		paths = append(paths, t.path(s))
	}
	slices.Sort(paths)
	return strings.Join(slices.Compact(paths), "\n")
}

// find returns the first span with that name that has ended.
func (w *world) find(name string) (found tracetest.SpanStub) {
	w.Helper()
	w.eventually("no span "+name, func() bool {
		for _, s := range w.spans.GetSpans() {
			if s.Name == name {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

const (
	hook  = "POST /webhooks/whatsapp/*rest"
	reply = "POST /v1/conversations/:id/messages"
)

// converse lets a person write, an agent answer in the trace of that, and the provider report that it was read.
func (w *world) converse() trace.TraceID {
	w.Helper()
	if s := w.asks("wamid.IN1", question); s != http.StatusOK {
		w.Fatalf("the webhook was answered %d", s)
	}
	first := w.find(hook).SpanContext
	conversation := w.assigned()
	var sent, now struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	traceparent := fmt.Sprintf("00-%s-%s-01", first.TraceID(), first.SpanID())
	w.do("POST", "/v1/conversations/"+conversation+"/messages", traceparent, map[string]string{"text": answer}, &sent)
	id := <-w.sent
	w.eventually("nobody says that the answer is sent", func() bool {
		w.do("GET", "/v1/messages/"+sent.ID, "", nil, &now)
		return now.Status != "queued"
	})
	for _, status := range []string{"delivered", "read"} {
		if s := w.reports(id, status); s != http.StatusOK {
			w.Fatalf("the receipt was answered %d", s)
		}
	}
	w.eventually("the answer is not read", func() bool {
		w.do("GET", "/v1/messages/"+sent.ID, "", nil, &now)
		return now.Status == "read"
	})
	return first.TraceID()
}

// assigned waits until routing has given the conversation to somebody, and returns its id.
func (w *world) assigned() string {
	w.Helper()
	var list struct {
		Data []struct {
			ID       string `json:"id"`
			Assignee *struct {
				ID string `json:"id"`
			} `json:"assignee"`
		} `json:"data"`
	}
	w.eventually("routing gives the conversation to nobody", func() bool {
		w.do("GET", "/v1/conversations", "", nil, &list)
		return len(list.Data) == 1 && list.Data[0].Assignee != nil
	})
	return list.Data[0].ID
}

// scrape reads the metrics as Prometheus does.
func (w *world) scrape(accept string) string {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.admin+"/metrics", nil)
	w.ok(err)
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	w.ok(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	w.ok(err)
	return string(b)
}

const (
	plainText   = "text/plain"
	openMetrics = "application/openmetrics-text; version=1.0.0"
)

func TestAConversationIsOneTrace(t *testing.T) { //nolint:paralleltest // telemetry is the process's
	w := newWorld(t)
	id := w.converse()
	if s := w.webhook(`"x":1`, "another secret"); s != http.StatusUnauthorized && s != http.StatusForbidden {
		t.Errorf("a forged call was answered %d", s)
	}
	metrics := w.scrape(plainText) + w.scrape(openMetrics)
	w.stop()
	got := w.of(id)
	for _, want := range [][]string{
		{hook, "send tributary.webhooks", "process tributary.inbound", "write conversations"},
		{hook, "process tributary.inbound", "send tributary.conversations"},
		{hook, "process tributary.inbound", "send tributary.routing", "process tributary.routing", "send tributary.assignments", "process tributary.assignments"},
		{hook, reply, "write conversations"},
		{hook, reply, "send tributary.conversations", "process tributary.outbound.whatsapp", "write sends_whatsapp"},
		{hook, reply, "process tributary.outbound.whatsapp", "call whatsapp", "POST"},
		{hook, reply, "process tributary.outbound.whatsapp", "send tributary.receipts", "process tributary.receipts",
			"send tributary.message-status", "process tributary.message-status"},
	} {
		if !got.has(want...) {
			t.Errorf("no span came by %s", strings.Join(want, " > "))
		}
	}
	roots, receipts := 0, 0
	for _, s := range got {
		if _, ok := got[s.Parent.SpanID()]; !ok {
			roots++
		}
	}
	for _, s := range w.spans.GetSpans() { // a receipt comes in a trace of its own, and links to the send
		if s.Name == "process tributary.receipts" && s.SpanContext.TraceID() != id {
			receipts += len(slices.DeleteFunc(slices.Clone(s.Links), func(l sdk.Link) bool { return l.SpanContext.TraceID() != id }))
		}
	}
	if roots != 1 || receipts != 2 {
		t.Errorf("%d roots, %d links of receipts", roots, receipts)
	}
	if n := len(statuses(got)); n < 3 {
		t.Errorf("%d statuses are in the trace: sent, delivered and read are wanted", n)
	}
	if t.Failed() {
		t.Logf("the trace:\n%s", got)
	}
	w.secretive(metrics)
}

// statuses are the spans that tell inbox what became of the message.
func statuses(t tree) (all []tracetest.SpanStub) {
	for _, s := range t {
		if s.Name == "process tributary.message-status" {
			all = append(all, s)
		}
	}
	return all
}

// secretive checks that nothing planted is in any span, event, link, log line or metric, and that probes are not traced.
func (w *world) secretive(metrics string) {
	w.Helper()
	told := map[string]string{"a metric": metrics, "a log line": w.logs.String()}
	for _, s := range w.spans.GetSpans() {
		b, err := json.Marshal(struct{ Name, Status, Attributes, Events, Links, Resource any }{
			s.Name, s.Status, fmt.Sprint(s.Attributes), fmt.Sprint(s.Events), fmt.Sprint(s.Links), fmt.Sprint(s.Resource)})
		w.ok(err)
		told["a span"] += string(b) + "\n"
		if strings.Contains(s.Name, "/metrics") || strings.Contains(s.Name, "readyz") {
			w.Errorf("a probe is traced: %s", s.Name)
		}
	}
	for where, text := range told {
		for _, p := range planted {
			if i := strings.Index(text, p); i >= 0 {
				w.Errorf("%s holds %q: …%s…", where, p, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
	if !strings.Contains(metrics, `trace_id="`) {
		w.Errorf("no metric has an exemplar")
	}
}
