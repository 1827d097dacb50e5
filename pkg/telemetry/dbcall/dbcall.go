// Package dbcall tells OpenTelemetry of calls to the store and to Redis: how long each took, by operation and collection, and a span
// where one is under way. Nothing of what is read or written is told, and no key.
package dbcall

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/tributaryhq/tributary/pkg/telemetry/dbcall"

// The attributes of OpenTelemetry's semantic conventions for database clients 1.37.
const (
	systemKey     = attribute.Key("db.system.name")
	operationKey  = attribute.Key("db.operation.name")
	collectionKey = attribute.Key("db.collection.name")
	batchKey      = attribute.Key("db.operation.batch.size")
	errorKey      = attribute.Key("error.type")
)

// Client is one kind of database, as a process calls it.
type Client struct {
	system   string
	tracer   trace.Tracer
	duration metric.Float64Histogram
	sets     sync.Map // metric.MeasurementOption by labels: they are few, and needed for every call
}

type labels struct{ operation, collection, failure string }

// New returns the client of a system, such as "mongodb".
func New(system string) *Client {
	h, err := otel.Meter(scope).Float64Histogram("db.client.operation.duration", metric.WithUnit("s"), metric.WithDescription("Calls to the store and to Redis."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		otel.Handle(err)
	}
	return &Client{system: system, tracer: otel.Tracer(scope), duration: h}
}

// Call is a call under way.
type Call struct {
	client                *Client
	ctx                   context.Context
	span                  trace.Span // nil where none is under way
	began                 time.Time
	operation, collection string
}

// Begin begins a call. It is a span only within another: loops that look for work make no traces of their own.
func (c *Client) Begin(ctx context.Context, operation, collection string) (context.Context, Call) {
	call := Call{client: c, ctx: ctx, began: time.Now(), operation: operation, collection: collection}
	if trace.SpanFromContext(ctx).IsRecording() {
		name := operation
		if collection != "" {
			name += " " + collection
		}
		call.ctx, call.span = c.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient))
	}
	return call.ctx, call
}

// End ends a call of n operations. failure is the kind of what went wrong, empty for an answer.
func (c Call) End(n int, failure string) {
	set := c.client.set(labels{c.operation, c.collection, failure})
	c.client.duration.Record(c.ctx, time.Since(c.began).Seconds(), set.measured)
	if c.span == nil {
		return
	}
	c.span.SetAttributes(set.attrs...)
	if n > 1 {
		c.span.SetAttributes(batchKey.Int(n))
	}
	if failure != "" {
		c.span.SetStatus(codes.Error, failure)
	}
	c.span.End()
}

type set struct {
	attrs    []attribute.KeyValue
	measured metric.MeasurementOption
}

func (c *Client) set(l labels) set {
	if made, ok := c.sets.Load(l); ok {
		return made.(set)
	}
	attrs := []attribute.KeyValue{systemKey.String(c.system), operationKey.String(l.operation)}
	if l.collection != "" {
		attrs = append(attrs, collectionKey.String(l.collection))
	}
	if l.failure != "" {
		attrs = append(attrs, errorKey.String(l.failure))
	}
	made, _ := c.sets.LoadOrStore(l, set{attrs, metric.WithAttributeSet(attribute.NewSet(attrs...))})
	return made.(set)
}
