package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// lookAgain is how long a process waits for indexes before it looks again whether they are there.
const lookAgain = 2 * time.Second

// Collections returns those of services, and those that every process reads.
func Collections(services ...Service) []store.Spec {
	specs := slices.Concat(directory.Others, directory.Specs, blob.Specs)
	for _, s := range services {
		specs = append(specs, s.Collections...)
	}
	return store.Merge(specs...)
}

// require waits until the store has what the services need. A store that is a server creates nothing at a start: index builds may
// take hours, and one job does them for all processes. Until then the process lives, is not ready, and says what is missing.
func (r *process) require(ctx context.Context, services []Service) error {
	specs := Collections(services...)
	for {
		err := r.Env.DB.Require(ctx, specs...)
		if !errors.Is(err, store.ErrMissing) {
			r.lacks.Store("")
			if err != nil {
				return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
			}
			return nil
		}
		if was, _ := r.lacks.Swap(err.Error()).(string); was != err.Error() {
			slog.ErrorContext(ctx, "not ready: waiting for the store's indexes", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// reach waits until Kafka answers, and has its topics: a process that cannot sign in to the brokers, or finds no topics, must not take the
// place of one that works. The services run meanwhile, and take what comes.
func (r *process) reach(ctx context.Context) error {
	for {
		_, err := r.Env.Bus.Partitions(ctx, event.TopicInbound)
		if err == nil {
			r.lacks.Store("")
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		why := "Kafka: " + err.Error()
		if was, _ := r.lacks.Swap(why).(string); was != why {
			slog.ErrorContext(ctx, "not ready: waiting for Kafka", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}
