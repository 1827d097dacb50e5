package standalone

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/all"
)

// migrateSays is how often the job says how far it is.
const migrateSays = 2 * time.Second

// storeMigrate is "store migrate": it writes documents of earlier versions as this one needs them. It may run while services do, be
// ended at any time and be run again: it goes on with what is left.
func storeMigrate(ctx context.Context, s streams, args []string) error {
	cfg, err := load(s, "store migrate", args)
	if err != nil {
		return err
	}
	if err := folders(cfg); err != nil {
		return err
	}
	db, err := run.OpenStore(ctx, cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
	}
	return errors.Join(migrate(ctx, s, db), db.Close())
}

func migrate(ctx context.Context, s streams, db store.DB) error {
	if err := db.Require(ctx, run.Collections(all.Services()...)...); err != nil {
		return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
	}
	for _, c := range run.Lists(db, all.Services()...) {
		name := c.Spec().Name
		left, err := c.Unlisted(ctx, math.MaxInt32)
		if err != nil {
			return err
		}
		if left == 0 {
			_, _ = fmt.Fprintf(s.out, "%s: every document is of this version\n", name)
			continue
		}
		_, _ = fmt.Fprintf(s.out, "%s: %d documents are of an earlier version\n", name, left)
		began, said, all := time.Now(), time.Now(), 0
		err = c.Relist(ctx, func(done int) {
			if all = done; time.Since(said) >= migrateSays {
				said = time.Now()
				_, _ = fmt.Fprintf(s.out, "%s: %d of %d\n", name, done, left)
			}
		})
		if err != nil {
			return fmt.Errorf("%d of %d documents of %s are done; run it again: %w", all, left, name, err)
		}
		_, _ = fmt.Fprintf(s.out, "%s: %d documents are done (%s)\n", name, all, time.Since(began).Round(time.Millisecond))
	}
	return nil
}
