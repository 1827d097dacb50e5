package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	_ "github.com/KimMachineGun/automemlimit" // the memory limit of the container becomes the runtime's
	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/telemetry"
)

// Version is set when a binary is linked.
var Version = "dev"

// Main runs services as a process on external servers, and exits with a status.
func Main(services ...Service) {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Name
	}
	err := main(strings.Join(names, "+"), os.Args[1:], os.Environ(), os.Stdout, services)
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tributary:", err)
		os.Exit(1)
	}
}

func main(name string, args, environ []string, out io.Writer, services []Service) error {
	program := Program(services...)
	program.Elsewhere = elsewhere()
	fs, err := program.Flags(name)
	if err != nil {
		return err
	}
	printed := fs.Bool("print-config", false, "print the effective configuration, secrets masked, and stop")
	if err := fs.Parse(args); err != nil {
		return err
	}
	cfg, err := program.Load(fs, environ)
	if err != nil {
		return err
	}
	if *printed {
		return cfg.Print(out)
	}
	if err := external(cfg); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := telemetry.Logger(os.Stderr, cfg.LogFormat, cfg.LogLevel)
	return Services(ctx, name, cfg, log, nil, services...)
}

// external names what a binary without in-process servers is missing.
func external(cfg *config.Config) error {
	var errs []error
	need := func(set bool, key, what string) {
		if !set {
			errs = append(errs, fmt.Errorf("%s is not set: this binary has no %s in it (the binary tributary has)", config.EnvName(key), what))
		}
	}
	need(len(cfg.KafkaBrokers) > 0, "kafka_brokers", "Kafka broker")
	need(cfg.RedisURL != "", "redis_url", "Redis")
	need(cfg.StoreURL != "", "store_url", "store")
	need(cfg.BlobURL != "", "blob_url", "blob store")
	need(cfg.EncryptionKey != "", "encryption_key", "encryption key")
	return errors.Join(errs...)
}

// gcPercent trades memory for the processors: what lives is some ten MB, what passes through is much. A container's memory limit
// still holds; GOGC overrides it.
const gcPercent = 300

// Services opens everything and runs services until ctx ends. prepare, if not nil, may alter the process before it runs.
func Services(ctx context.Context, name string, cfg *config.Config, log *slog.Logger, prepare func(*Process) error, services ...Service) (err error) {
	slog.SetDefault(log)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	tel, err := telemetry.Start(ctx, name, Version)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, tel.Stop(last))
	}()
	public, err := Listen("http_addr", cfg.HTTPAddr)
	if err != nil {
		return err
	}
	defer public.Close() //nolint:errcheck // the server closes it first
	admin, err := Listen("admin_addr", cfg.AdminAddr)
	if err != nil {
		return err
	}
	defer admin.Close() //nolint:errcheck // the server closes it first
	env, close, err := Open(ctx, cfg, log)
	defer func() { err = errors.Join(err, close()) }()
	if err != nil {
		return err
	}
	p := &Process{Env: *env, Metrics: tel.Metrics, Public: watchListener(public), Admin: admin}
	if prepare != nil {
		if err := prepare(p); err != nil {
			return err
		}
	}
	return p.Run(ctx, services...)
}
