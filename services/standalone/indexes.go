package standalone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/services/all"
)

// storeCommand is the command "store", which has two verbs.
func storeCommand(ctx context.Context, s streams, args []string) error {
	verbs := map[string]func(context.Context, streams, []string) error{"ensure": storeEnsure, "migrate": storeMigrate}
	if len(args) == 0 || verbs[args[0]] == nil {
		return errors.New("say: tributary store ensure, or tributary store migrate")
	}
	return verbs[args[0]](ctx, s, args[1:])
}

// storeEnsure is "store ensure". Ending it ends no build that has begun, and it may be run again at any time.
func storeEnsure(ctx context.Context, s streams, args []string) error {
	job := mongo.Job{Progress: func(line string) { _, _ = fmt.Fprintln(s.out, line) }}
	cfg, err := load(s, "store ensure", args, func(fs *pflag.FlagSet) {
		fs.BoolVar(&job.DropSuperseded, "drop-superseded", false, "drop indexes that only earlier versions use")
		fs.StringVar(&job.CommitQuorum, "commit-quorum", "", "members that must have built an index before it counts: votingMembers, majority or a number")
	})
	if err != nil {
		return err
	}
	if err := folders(cfg); err != nil {
		return err
	}
	began := time.Now()
	db, err := run.OpenStore(ctx, cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
	}
	specs := run.Collections(all.Services()...)
	if err := errors.Join(ensure(ctx, db, job, specs), db.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d collections are there (%s)\n", len(specs), time.Since(began).Round(time.Millisecond))
	return err
}

func ensure(ctx context.Context, db store.DB, job mongo.Job, specs []store.Spec) error {
	if m, ok := db.(*mongo.DB); ok {
		return m.Build(ctx, job, specs...)
	}
	return db.Ensure(ctx, specs...)
}
