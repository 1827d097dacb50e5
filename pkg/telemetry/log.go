package telemetry

import (
	"context"
	"io"
	"log/slog"

	"github.com/mattn/go-isatty"
	"go.opentelemetry.io/otel/trace"

	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
)

// Logger returns a logger that writes to w and adds the trace under way and the ids of what it is about. format is "json", "text" or "auto": text where w is a
// terminal, json elsewhere.
func Logger(w io.Writer, format, level string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	var h slog.Handler = slog.NewJSONHandler(w, o)
	if format == "text" || format == "auto" && onTerminal(w) {
		h = slog.NewTextHandler(w, o)
	}
	return slog.New(traced{h})
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(f.Fd())
}

type traced struct{ slog.Handler }

// Handle adds trace_id and span_id, and what the work under way is about.
func (t traced) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(logctx.Of(ctx).Attrs()...)
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		r.AddAttrs(slog.String("trace_id", s.TraceID().String()), slog.String("span_id", s.SpanID().String()))
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs keeps the wrapper.
func (t traced) WithAttrs(as []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(as)} }

// WithGroup keeps the wrapper.
func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
