package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/telemetry"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

// start is the command "run".
func start(ctx context.Context, s streams, args []string) (err error) {
	began := time.Now()
	cfg, err := load(s, "run", args)
	if err != nil {
		return err
	}
	log := telemetry.Logger(s.err, cfg.LogFormat, cfg.LogLevel)
	slog.SetDefault(log)
	inside := len(cfg.KafkaBrokers) == 0
	servers, err := fill(ctx, cfg, "", "")
	defer func() { err = errors.Join(err, servers.close()) }()
	if err != nil {
		return err
	}
	services := all.Services()
	var demo *demonstration
	if mine(cfg).Demo == "on" {
		if demo, err = demonstrate(cfg); err != nil {
			return err
		}
		services = append(services, simulator.Service)
	}
	prepare := func(p *run.Process) error {
		if servers.broker != nil {
			p.Env.Backlog = servers.broker.Backlog
			p.Consumes = servers.broker.Reads
			p.Loops = append(p.Loops, run.Loop{Name: "broker", Run: servers.broker.Failed})
		}
		p.Started = func() { started(ctx, s, cfg, demo, p, log, began) }
		return ensureTopics(ctx, p.Env.Bus, cfg, inside)
	}
	return run.Services(ctx, "tributary", cfg, log, prepare, services...)
}

// started tells where everything is. What the demo needs is made through the public API, as anybody would.
func started(ctx context.Context, s streams, cfg *config.Config, demo *demonstration, p *run.Process, log *slog.Logger, began time.Time) {
	if demo == nil {
		_, _ = fmt.Fprintf(s.out, "tributary is ready on %s (%d ms)\n", p.Env.PublicURL, time.Since(began).Milliseconds())
		return
	}
	if err := demo.prepare(ctx, p.Env.PublicURL); err != nil {
		log.ErrorContext(ctx, "the demo could not be prepared", "error", err)
		return
	}
	if err := demo.print(s.out, p.Env.PublicURL, cfg, time.Since(began)); err != nil {
		log.ErrorContext(ctx, "the demo's webhook could not be written", "error", err)
	}
}
