// Package logctx lets a context say what the work under way is about, so that every log line of it names the channel and the event, who
// ever writes it. Only ids belong here: never what people wrote, their addresses, or secrets.
package logctx

import (
	"context"
	"log/slog"
)

// About is what work is about; an empty field is unknown.
type About struct {
	Tenant, Channel, Event string
}

type key struct{}

// With returns ctx for work about a; what a does not say stays as ctx has it.
func With(ctx context.Context, a About) context.Context {
	old := Of(ctx)
	for _, f := range []struct{ v, old *string }{{&a.Tenant, &old.Tenant}, {&a.Channel, &old.Channel}, {&a.Event, &old.Event}} {
		if *f.v == "" {
			*f.v = *f.old
		}
	}
	return context.WithValue(ctx, key{}, a)
}

// Of is what the work of ctx is about.
func Of(ctx context.Context) About {
	a, _ := ctx.Value(key{}).(About)
	return a
}

// Attrs are the fields that are known, as a log line has them.
func (a About) Attrs() (attrs []slog.Attr) {
	for _, f := range []struct{ name, v string }{{"tenant", a.Tenant}, {"channel", a.Channel}, {"event_id", a.Event}} {
		if f.v != "" {
			attrs = append(attrs, slog.String(f.name, f.v))
		}
	}
	return attrs
}
