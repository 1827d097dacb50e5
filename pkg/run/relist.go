package run

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	// relistItself is how many documents of an earlier version a process writes anew at its start, on a store that is a server: so many
	// come from processes of that version that still run.
	relistItself = 1000
	relistSays   = 5 * time.Second // how often a process that does so says how far it is
)

// Lists returns the collections of services whose documents stand in lists.
func Lists(db store.DB, services ...Service) (all []store.Relister) {
	for _, s := range services {
		if s.Lists != nil {
			all = append(all, s.Lists(db)...)
		}
	}
	return all
}

// relist waits until every document is in its lists, so that none is incomplete without saying so. In a store of this process it
// writes those of an earlier version anew itself; of a store that is a server that is one job, for which the process waits, not ready.
func (r *process) relist(ctx context.Context, services []Service) error {
	for _, c := range Lists(r.Env.DB, services...) {
		for {
			left, err := r.relisted(ctx, c)
			if err != nil {
				return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
			}
			if left == 0 {
				break
			}
			why := fmt.Sprintf("documents of %s are of an earlier version, and lists do not have them; run: tributary store migrate", c.Spec().Name)
			if was, _ := r.lacks.Swap(why).(string); was != why {
				slog.ErrorContext(ctx, "not ready: waiting for documents to be migrated", "why", why)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(lookAgain):
			}
		}
		r.lacks.Store("")
	}
	return nil
}

// relisted writes the documents of a collection anew that an earlier version has written, if they are few or the store is in the
// process. It returns how many are left: 0, or more than the process does itself.
func (r *process) relisted(ctx context.Context, c store.Relister) (left int, err error) {
	most, inside := relistItself, strings.HasPrefix(r.Env.Config.StoreURL, "sqlite:")
	if inside {
		most = math.MaxInt - 1
	}
	left, err = c.Unlisted(ctx, most+1)
	if err != nil || left == 0 || left > most {
		return left, err
	}
	name, said := c.Spec().Name, time.Time{}
	return 0, c.Relist(ctx, func(done int) {
		if time.Since(said) >= relistSays {
			said = time.Now()
			r.lacks.Store(fmt.Sprintf("documents of %s are written anew: %d of %d", name, done, left))
			slog.InfoContext(ctx, "documents of an earlier version are written anew", "collection", name, "done", done, "of", left)
		}
	})
}
