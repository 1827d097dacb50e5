package kafka

import (
	"cmp"
	"context"
	"time"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

// The headers of CloudEvents 1.0 in Kafka's binary mode; ce_tenant is an extension attribute.
const (
	headerVersion = "ce_specversion"
	headerID      = "ce_id"
	headerType    = "ce_type"
	headerSource  = "ce_source"
	headerTime    = "ce_time"
	headerTenant  = "ce_tenant"
	headerSubject = "ce_subject"
	headerContent = "content-type"
	headerLane    = "lane" // no attribute of the event: in what order it is handled, where that is not by its key

	contentJSON = "application/json"
	specVersion = "1.0"
)

var traceContext propagation.TraceContext

// encode puts an event into a Kafka record and the span that it was made in into its headers: the one of ctx, unless the record is
// from another trace.
func encode(ctx context.Context, r event.Record) (kafka.Message, error) {
	e := r.Event
	switch {
	case r.Topic == "":
		return kafka.Message{}, fault.At("/topic", "required", "event %s has no topic", e.ID)
	case e.ID == "":
		return kafka.Message{}, fault.At("/event/id", "required", "an event of type %q for topic %s has no id", e.Type, r.Topic)
	case e.Type == "":
		return kafka.Message{}, fault.At("/event/type", "required", "event %s for topic %s has no type", e.ID, r.Topic)
	}
	h := make(headers, 0, 11)
	h.Set(headerVersion, specVersion)
	h.Set(headerID, e.ID)
	h.Set(headerType, string(e.Type))
	h.Set(headerSource, e.Source)
	h.Set(headerTime, e.Time.String())
	h.Set(headerTenant, e.Tenant)
	h.Set(headerSubject, e.Subject)
	h.Set(headerContent, contentJSON)
	if r.Lane != r.Key {
		h.Set(headerLane, r.Lane)
	}
	if r.Trace != "" && traceparent.Trace(r.Trace) != trace.SpanContextFromContext(ctx).TraceID() {
		ctx = traceparent.With(ctx, r.Trace)
	}
	traceContext.Inject(ctx, &h)
	m := kafka.Message{Topic: r.Topic, Key: []byte(r.Key), Value: e.Data, Headers: h}
	if n := size(m); n > maxRecord {
		return kafka.Message{}, fault.At("/event/data", "record_too_large",
			"event %s for topic %s is %d bytes, the limit is %d: put the body into blob and send a reference", e.ID, r.Topic, n, maxRecord)
	}
	return m, nil
}

// decode reads what it can; an error says that the record is no event of ours.
func decode(r record) (bus.Message, error) {
	h := r.headers
	m := bus.Message{
		Topic: r.topic, Partition: r.partition, Offset: r.offset, Key: string(r.key), Lane: laneOf(r), Time: r.time,
		Event: event.Event{
			ID: h.Get(headerID), Type: event.Type(h.Get(headerType)), Source: h.Get(headerSource),
			Tenant: h.Get(headerTenant), Subject: h.Get(headerSubject), Data: r.value,
		},
		Dead: readDead(h),
	}
	if t, err := time.Parse(time.RFC3339Nano, h.Get(headerTime)); err == nil {
		m.Event.Time = event.At(t)
	}
	switch {
	case h.Get(headerVersion) != specVersion:
		return m, fault.At("/"+headerVersion, "undecodable", "header %s: want %q, got %.20q", headerVersion, specVersion, h.Get(headerVersion))
	case m.Event.ID == "":
		return m, fault.At("/"+headerID, "undecodable", "header %s is missing", headerID)
	case m.Event.Type == "":
		return m, fault.At("/"+headerType, "undecodable", "header %s is missing", headerType)
	}
	return m, nil
}

// laneOf is the lane of a record: what its producer named, or its key, as of every record of earlier versions.
func laneOf(r record) string {
	return cmp.Or(r.headers.Get(headerLane), string(r.key))
}

// size is what a record takes in a batch, a little too high.
func size(m kafka.Message) int {
	n := len(m.Key) + len(m.Value) + 32
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value) + 8
	}
	return n
}

// headers carries the attributes of a record and, for OpenTelemetry, its trace context.
type headers []kafka.Header

var _ propagation.TextMapCarrier = (*headers)(nil)

// Get returns the value of the first header of that name, or "".
func (h headers) Get(key string) string {
	for i := range h {
		if h[i].Key == key {
			return string(h[i].Value)
		}
	}
	return ""
}

// Set adds a header or replaces it; an empty value leaves a missing header out.
func (h *headers) Set(key, value string) {
	for i := range *h {
		if (*h)[i].Key == key {
			(*h)[i].Value = []byte(value)
			return
		}
	}
	if value != "" {
		*h = append(*h, kafka.Header{Key: key, Value: []byte(value)})
	}
}

// Keys lists the names of all headers.
func (h headers) Keys() []string {
	ks := make([]string, len(h))
	for i := range h {
		ks[i] = h[i].Key
	}
	return ks
}
