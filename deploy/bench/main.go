// Command bench measures a gateway: how many webhooks it accepts, how many go through, how long they take, and what that costs.
//
//	bench accept --channel whatsapp --conns 64     one measurement of Tributary, which it starts itself
//	bench all                                      all of them, written to docs/reference/performance.md
//	bench all --cluster ../cluster                 the chart on a cluster (deploy/cluster/with.sh)
//	bench fire --target other.json --conns 16      load on any gateway that runs already
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/measure"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

// options are the flags.
type options struct {
	bench                           measure.Bench
	channel, conns, rates, doc, dir string
	target, cluster, modes          string
	rate                            float64
	commit                          string
}

func flags(o *options, errOut io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("bench <measurement>", flag.ContinueOnError)
	fs.SetOutput(errOut)
	b := &o.bench
	fs.StringVar(&b.Bin, "bin", "../../bin", "folder of Tributary's binaries (make build)")
	fs.StringVar(&o.dir, "dir", "", "where data goes; empty: a temporary folder")
	fs.StringVar(&b.Profiles, "profiles", "", "folder for CPU profiles of every process in every scenario; empty: none")
	fs.BoolVar(&b.Outside, "distributed", false, "separate processes on the servers that TRIBUTARY_KAFKA_BROKERS, _REDIS_URL and _STORE_URL name")
	fs.StringVar(&o.cluster, "cluster", "", "folder deploy/cluster: the chart on the cluster in whose network this runs")
	fs.StringVar(&o.modes, "modes", "standalone,distributed", "of the chart, on a cluster")
	fs.StringVar(&o.channel, "channel", "whatsapp,telegram,webchat", "channel types that webhooks are sent to")
	fs.StringVar(&o.conns, "conns", "1,16,64", "over how many connections")
	fs.DurationVar(&b.Warm, "warm", 2*time.Second, "warm-up before each figure")
	fs.DurationVar(&b.For, "for", 10*time.Second, "how long each figure is measured")
	fs.DurationVar(&b.Confirm, "confirm", 60*time.Second, "how long the found rate of the pipeline is confirmed")
	fs.StringVar(&o.rates, "rates", "500,2000", "messages a second, end to end")
	fs.IntVar(&b.Records, "records", 40_000, "messages to send")
	fs.IntVar(&b.Grown, "grown", 100_000, "conversations at the end of growth")
	fs.StringVar(&o.doc, "doc", "", "document whose tables are replaced")
	fs.StringVar(&o.commit, "commit", "", "what is measured, for the document")
	fs.StringVar(&o.target, "target", "", "fire: file that describes a gateway's webhook")
	fs.Float64Var(&o.rate, "rate", 0, "fire: calls a second; 0: as fast as they are answered")
	return fs
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	o := &options{}
	fs := flags(o, errOut)
	name := "all"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	b := &o.bench
	b.Log = errOut
	var err error
	if b.Conns, err = numbers(o.conns); err != nil {
		return fmt.Errorf("--conns: %w", err)
	}
	if b.Rates, err = numbers(o.rates); err != nil {
		return fmt.Errorf("--rates: %w", err)
	}
	b.Channels = strings.Split(o.channel, ",")
	if name == "fire" {
		return show(out, func() (*report.Table, error) { return b.Fire(ctx, o.target, o.rate) })
	}
	if name == "echo" {
		return measure.Echo(ctx, fs.Arg(0))
	}
	if b.Bin, err = filepath.Abs(b.Bin); err != nil {
		return err
	}
	if b.Dir, err = folder(o.dir); err != nil {
		return err
	}
	if o.dir == "" {
		defer os.RemoveAll(b.Dir) //nolint:errcheck // temporary
	}
	if o.cluster != "" {
		if err := b.OnCluster(o.cluster, os.Getenv("TRIBUTARY_TEST_CLUSTER_TAG"), strings.Split(o.modes, ",")); err != nil {
			return err
		}
	}
	return errors.Join(several(ctx, b, name, o, out), b.Close())
}

// several runs one measurement or all, and writes the document.
func several(ctx context.Context, b *measure.Bench, name string, o *options, out io.Writer) error {
	var tables []*report.Table
	var failed []error
	known := []string{"all", "fire"}
	began := time.Now()
	for _, m := range b.Measurements() {
		known = append(known, m.Name)
		if name != "all" && name != m.Name {
			continue
		}
		t, err := m.Run(ctx)
		if err != nil { // the others are measured all the same
			err = fmt.Errorf("%s: %w", m.Name, err)
			failed = append(failed, err)
		}
		if t == nil {
			continue
		}
		if err != nil {
			t.Note += "\n\n**Not complete**: the measurement failed."
		}
		tables = append(tables, t)
		if err := t.Print(out); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(tables)+len(failed) == 0 {
		return fmt.Errorf("there is no measurement %q; there are %s", name, strings.Join(known, ", "))
	}
	_, err := fmt.Fprintf(out, "\nall of it took %s\n", time.Since(began).Round(time.Second))
	if o.doc != "" && ctx.Err() == nil {
		part, about := "single", report.About(o.commit)
		if b.Outside {
			part, about = "distributed", about+stand.Outside()
		}
		if b.Cluster != nil {
			part, about = "cluster", report.About(o.commit)+b.Cluster.About(ctx)
		}
		err = errors.Join(err, report.Write(o.doc, part, about, tables))
	}
	return errors.Join(append(failed, err)...)
}

func show(out io.Writer, f func() (*report.Table, error)) error {
	t, err := f()
	if err != nil {
		return err
	}
	return t.Print(out)
}

func folder(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "tributary-bench")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func numbers(s string) (out []int, err error) {
	for x := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(x)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%q is no number above 0", x)
		}
		out = append(out, n)
	}
	return out, nil
}
