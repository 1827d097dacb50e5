package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
	"github.com/tributaryhq/tributary/pkg/telemetry/traceparent"
)

const scope = "github.com/tributaryhq/tributary/pkg/bus"

// Attributes of OpenTelemetry's semantic conventions for messaging 1.37.
var (
	system      = attribute.String("messaging.system", "kafka")
	destination = attribute.Key("messaging.destination.name")
	partitionID = attribute.Key("messaging.destination.partition.id")
	groupName   = attribute.Key("messaging.consumer.group.name")
	kafkaOffset = attribute.Key("messaging.kafka.offset")
	messageID   = attribute.Key("messaging.message.id")
	batchCount  = attribute.Key("messaging.batch.message_count")
	operation   = attribute.Key("messaging.operation.name")
	errorType   = attribute.Key("error.type")
	reasonKey   = attribute.Key("reason")
)

// attributes is short for metric.WithAttributes, which can be used with adding, recording and observing alike.
func attributes(kvs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(kvs...)
}

// meter is everything the bus tells OpenTelemetry; without an SDK all of it costs next to nothing.
type meter struct {
	tracer trace.Tracer

	sent, consumed, rebalances, dead, jumps, rebuilds metric.Int64Counter
	paused                                            metric.Int64UpDownCounter
	publish, process                                  metric.Float64Histogram

	mu     sync.Mutex
	active map[*partition]struct{}
	lag    metric.Registration

	outcomes sync.Map // metric.MeasurementOption by labels
}

func newMeter() (*meter, error) {
	m := otel.Meter(scope)
	t := &meter{tracer: otel.Tracer(scope), active: map[*partition]struct{}{}}
	var errs []error
	count := func(name, what string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithDescription(what))
		errs = append(errs, err)
		return c
	}
	seconds := func(name, what string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithDescription(what), metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
		errs = append(errs, err)
		return h
	}
	t.sent = count("messaging.client.sent.messages", "Records acknowledged by all in-sync replicas, or refused.")
	t.consumed = count("messaging.client.consumed.messages", "Records handed to a handler, by outcome.")
	t.rebalances = count("tributary.rebalances", "Generations this member took part in.")
	t.dead = count("tributary.dlq.messages", "Records sent to the dead letters.")
	t.jumps = count("tributary.consumer.offset_jumps", "Records that were gone before they were read.")
	t.rebuilds = count("tributary.consumer.rebuilds", "Group clients rebuilt because they made no progress.")
	t.publish = seconds("messaging.client.operation.duration", "From Publish to the acknowledgement.")
	t.process = seconds("messaging.process.duration", "One call of a handler.")
	var err error
	t.paused, err = m.Int64UpDownCounter("tributary.consumer.paused", metric.WithDescription("Partitions that have stopped because the store or broker is away."))
	errs = append(errs, err, t.observeLag(m))
	return t, errors.Join(errs...)
}

func (t *meter) observeLag(m metric.Meter) error {
	messages, err := m.Int64ObservableGauge("tributary.consumer.lag_messages", metric.WithDescription("Records behind the newest."))
	if err != nil {
		return err
	}
	seconds, err := m.Float64ObservableGauge("tributary.consumer.lag", metric.WithUnit("s"), metric.WithDescription("Age of the oldest record that is not done."))
	if err != nil {
		return err
	}
	t.lag, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		t.mu.Lock()
		defer t.mu.Unlock()
		for p := range t.active {
			n, age := p.lag(time.Now())
			o.ObserveInt64(messages, n, p.attrs)
			o.ObserveFloat64(seconds, age.Seconds(), p.attrs)
		}
		return nil
	}, messages, seconds)
	return err
}

func (t *meter) close() { _ = t.lag.Unregister() }

// add begins to observe a partition. Its counter of dead letters is there from the beginning: a rate begins at the first one only if
// there was none before.
func (t *meter) add(p *partition) {
	for _, reason := range []string{reasonUndecodable, reasonPoison, reasonExhausted} {
		t.buried(p, reason, 0)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active[p] = struct{}{}
}

// buried counts dead letters of a partition.
func (t *meter) buried(p *partition, reason string, n int64) {
	t.dead.Add(p.handling, n, attributes(destination.String(p.topic), groupName.String(p.sub.Group), reasonKey.String(reason)))
}

func (t *meter) remove(p *partition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.active, p)
}

// sending opens the span of a Publish, in the trace of the first record that names one; done closes it and counts.
func (t *meter) sending(ctx context.Context, recs []event.Record) (context.Context, func(error) error) {
	start, topic := time.Now(), recs[0].Topic
	ctx = within(ctx, recs)
	ctx, span := t.tracer.Start(ctx, "send "+topic, trace.WithSpanKind(trace.SpanKindProducer))
	if span.IsRecording() {
		span.SetAttributes(system, operation.String("send"), destination.String(topic), batchCount.Int(len(recs)))
	}
	return ctx, func(err error) error {
		for _, r := range recs {
			t.sent.Add(ctx, 1, t.outcome(r.Topic, "", err))
		}
		t.publish.Record(ctx, time.Since(start).Seconds(), t.outcome(topic, "", err))
		end(span, err)
		return err
	}
}

// within returns ctx within the span that the first of the records was made in, if it names one.
func within(ctx context.Context, recs []event.Record) context.Context {
	for _, r := range recs {
		if r.Trace != "" {
			return traceparent.With(ctx, r.Trace)
		}
	}
	return ctx
}

// processing opens the span of one call of a handler as a child of the span that sent the record, or the first of several. What
// it returns ends the span and counts the records.
func (t *meter) processing(ctx context.Context, group string, m bus.Message, h headers) (context.Context, func(n int, err error)) {
	start := time.Now()
	ctx = about(ctx, m, h)
	ctx, span := t.tracer.Start(ctx, "process "+m.Topic, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(trace.LinkFromContext(ctx)))
	if span.IsRecording() {
		span.SetAttributes(system, operation.String("process"), destination.String(m.Topic), groupName.String(group),
			partitionID.Int(m.Partition), kafkaOffset.Int64(m.Offset), messageID.String(m.Event.ID))
	}
	return ctx, func(n int, err error) {
		attrs := t.outcome(m.Topic, group, err)
		if n != 1 && span.IsRecording() {
			span.SetAttributes(batchCount.Int(n))
		}
		t.consumed.Add(ctx, int64(n), attrs)
		t.process.Record(ctx, time.Since(start).Seconds(), attrs)
		end(span, err)
	}
}

// about returns ctx for work about a record: in the trace of its sending, and with its ids for the log.
func about(ctx context.Context, m bus.Message, h headers) context.Context {
	return logctx.With(traceContext.Extract(ctx, &h), logctx.About{
		Tenant: m.Event.Tenant, Channel: event.ChannelOf(m.Topic, m.Key), Event: m.Event.ID})
}

// linkTo links the span of several records to where the others come from.
func linkTo(ctx context.Context, others []item) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	for _, it := range others {
		if from := trace.LinkFromContext(traceContext.Extract(context.Background(), &it.record.headers)); from.SpanContext.IsValid() {
			span.AddLink(from)
		}
	}
}

// labels name a set of attributes; group and kind may be empty.
type labels struct{ topic, group, kind string }

// outcome returns the attributes of a call, each set made once: they are few, and needed for every record.
func (t *meter) outcome(topic, group string, err error) metric.MeasurementOption {
	l := labels{topic: topic, group: group}
	if err != nil {
		l.kind = fault.KindOf(err).String()
	}
	if made, ok := t.outcomes.Load(l); ok {
		return made.(metric.MeasurementOption)
	}
	attrs := []attribute.KeyValue{system, destination.String(topic)}
	if group != "" {
		attrs = append(attrs, groupName.String(group))
	}
	if l.kind != "" {
		attrs = append(attrs, errorType.String(l.kind))
	}
	made, _ := t.outcomes.LoadOrStore(l, metric.WithAttributeSet(attribute.NewSet(attrs...)))
	return made.(metric.MeasurementOption)
}

func end(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, describe(err))
	}
	span.End()
}

// describe tells what is wrong without the error's text, which may quote what a customer wrote.
func describe(err error) string {
	f, cause := fault.Of(err), err
	for u := errors.Unwrap(cause); u != nil; u = errors.Unwrap(cause) {
		cause = u
	}
	s := f.Kind.String()
	if f.Code != "" && f.Code != s {
		s += " (" + f.Code + ")"
	}
	if f.Pointer != "" {
		s += " at " + f.Pointer
	}
	return fmt.Sprintf("%s: %T", s, cause)
}

// warn passes kafka-go's complaints on.
func (b *Bus) warn(part string) kafka.Logger {
	return kafka.LoggerFunc(func(format string, args ...any) {
		if b.life.Err() == nil {
			b.log.LogAttrs(context.Background(), slog.LevelWarn, fmt.Sprintf(format, args...), slog.String("part", part))
		}
	})
}
