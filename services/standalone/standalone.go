// Package standalone is the single binary: the same services, clients and protocols as on a cluster, with broker, Redis, store
// and blobs in the process or its data directory wherever the configuration names no other.
package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"os"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
)

// A command is one word behind "tributary".
type command struct {
	name, help string
	run        func(ctx context.Context, io streams, args []string) error
}

type streams struct {
	out, err io.Writer
	environ  []string
}

func commands() []command {
	return []command{
		{"run", "start everything (the default)", start},
		{"servers", "start the in-process broker and Redis alone, for other processes to use", servers},
		{"store", "store ensure, store migrate: create collections and indexes in the store that is configured; write documents of earlier versions anew", storeCommand},
		{"keys", "keys generate, keys rotate: a new encryption key; seal every secret with the current one", keysCommand},
		{"topics", "topics ensure: create the topics on the Kafka that is configured", topics},
		{"simulate", "simulate <type> --from … --text …: write as a customer, through the provider simulator", simulate},
		{"doctor", "check configuration, key, store, Kafka, Redis, files and clocks, and say what to do (--json)", doctor},
		{"ping", "ping URL…: wait until services answer at these URLs (--within 30s)", ping},
		{"config", "print the effective configuration, secrets masked", printConfig},
		{"version", "print the version", func(_ context.Context, s streams, _ []string) error {
			_, err := fmt.Fprintln(s.out, run.Version)
			return err
		}},
	}
}

// Main runs the command that args name and returns the exit status.
func Main(args, environ []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	name := "run"
	if len(args) > 0 && len(args[0]) > 0 && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	s := streams{out, errOut, environ}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		err := c.run(ctx, s, args)
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		if err != nil {
			_, _ = fmt.Fprintln(errOut, "tributary:", err)
			return 1
		}
		return 0
	}
	_, _ = fmt.Fprintf(errOut, "tributary: there is no command %q. Commands:\n", name)
	for _, c := range commands() {
		_, _ = fmt.Fprintf(errOut, "  %-10s %s\n", c.name, c.help)
	}
	return 2
}

// load reads the configuration as every command does; own adds the flags of the command besides the configuration's.
func load(s streams, name string, args []string, own ...func(*pflag.FlagSet)) (*config.Config, error) {
	cfg, words, err := parse(s, name, args, own...)
	if err == nil && len(words) > 0 {
		err = fmt.Errorf("%s takes no argument %q", name, words[0])
	}
	return cfg, err
}

// parse is load for commands with arguments of their own, which it returns.
func parse(s streams, name string, args []string, own ...func(*pflag.FlagSet)) (*config.Config, []string, error) {
	fs := pflag.NewFlagSet("tributary "+name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(s.err)
	for _, add := range own {
		add(fs)
	}
	program := Program()
	keys, err := program.Flags(name)
	if err != nil {
		return nil, nil, err
	}
	fs.AddFlagSet(keys)
	if err := fs.Parse(args); err != nil {
		return nil, nil, err
	}
	cfg, err := program.Load(fs, s.environ)
	return cfg, fs.Args(), err
}

func printConfig(_ context.Context, s streams, args []string) error {
	cfg, err := load(s, "config", args)
	if err != nil {
		return err
	}
	return cfg.Print(s.out)
}
