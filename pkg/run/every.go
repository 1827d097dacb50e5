package run

import (
	"context"
	"log/slog"
	"time"
)

// Every makes a loop that runs f at an interval. What fails is logged and tried again the next time; f asks the store what is
// due, so that every replica may run it at once.
func Every(name string, d time.Duration, log *slog.Logger, f func(context.Context) error) Loop {
	return Loop{Name: name, Run: func(ctx context.Context) error {
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-t.C:
				if err := f(ctx); err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "timed work failed", "loop", name, "error", err)
				}
			}
		}
	}}
}

// Promptly is Every, with a first call at once.
func Promptly(name string, d time.Duration, log *slog.Logger, f func(context.Context) error) Loop {
	again := Every(name, d, log, f)
	return Loop{Name: name, Run: func(ctx context.Context) error {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "timed work failed", "loop", name, "error", err)
		}
		return again.Run(ctx)
	}}
}
