package embedded

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/embedded/redo"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
)

const (
	cutDir   = "EMBEDDED_TEST_CUT_DIR"
	cutSync  = "EMBEDDED_TEST_CUT_SYNC"
	cutGroup = "cutgroup"
)

// tellingDisk prints what would be safe, and syncs nothing: the test takes away the rest.
type tellingDisk struct{ out io.Writer }

func (d tellingDisk) Data(f *os.File, from, length int64) error {
	_, err := fmt.Fprintf(d.out, "data %s %d %d\n", f.Name(), from, length)
	return err
}

func (d tellingDisk) File(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return nil //nolint:nilerr // what is not there has nothing to be kept
	}
	_, err = fmt.Fprintf(d.out, "file %s %d\n", path, info.Size())
	return err
}

func cutOptions(sync string, disk redo.Disk, log *slog.Logger) []Option {
	options := []Option{func(o *redo.Options) { o.Disk, o.Log = disk, log }}
	if sync == "off" {
		options = append(options, Unsynced())
	}
	return options
}

// cutChild publishes with several callers and reads with a group, and prints what was acknowledged and what was read.
func cutChild(dir string) {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	br, err := StartBroker(ctx, dir, "", cutOptions(os.Getenv(cutSync), tellingDisk{os.Stdout}, log)...)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
	b := open(br)
	if err := b.EnsureTopics(ctx, Topics()); err != nil {
		fmt.Fprintln(os.Stderr, "topics:", err)
		os.Exit(1)
	}
	br.Reads(cutGroup, event.TopicInbound)
	go func() {
		_ = b.Consume(ctx, bus.Subscription{Group: cutGroup, Topics: []string{event.TopicInbound}, Handle: func(_ context.Context, m bus.Message) error {
			fmt.Printf("read %s\n", m.Event.ID)
			return nil
		}})
	}()
	first, _ := strconv.Atoi(os.Getenv("EMBEDDED_TEST_FIRST"))
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for n := first + caller; ; n += 4 {
				call := numbered(n)
				call.Topic = event.TopicWebhooks
				if b.Publish(ctx, call, numbered(n)) == nil {
					fmt.Printf("acked %d\n", n)
				}
			}
		})
	}
	callers.Wait()
}

// powerCut is a data folder over several lives.
type powerCut struct {
	*testing.T
	dir, sync string
	rnd       *rand.Rand
	acked     map[string]bool
	read      map[string]bool  // by the group, in any life
	synced    map[string]int64 // bytes of a file that are safe
	told      bytes.Buffer     // errors
}

// live runs a child until it has acknowledged some records, and kills it.
func (p *powerCut) live(life int) {
	p.Helper()
	cmd := exec.CommandContext(p.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), cutDir+"="+p.dir, cutSync+"="+p.sync, "EMBEDDED_TEST_FIRST="+strconv.Itoa(life*1_000_000))
	cmd.Stderr = &p.told
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	until, n := 50+p.rnd.IntN(200), 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 2 && f[0] == "acked":
			p.acked[f[1]] = true
			if n++; n == until {
				_ = cmd.Process.Kill()
			}
		case len(f) == 2 && f[0] == "read":
			p.read[f[1]] = true
		case len(f) == 3 && f[0] == "file":
			p.synced[f[1]], _ = strconv.ParseInt(f[2], 10, 64)
		case len(f) == 4 && f[0] == "data":
			from, _ := strconv.ParseInt(f[2], 10, 64)
			length, _ := strconv.ParseInt(f[3], 10, 64)
			p.synced[f[1]] = from + length // the redo log is one of few files that are written in place: what is behind is not safe
		}
	}
	if err := cmd.Wait(); n < until {
		p.Fatalf("life %d ended after %d records: %v\n%s", life, n, err, p.told.String())
	}
}

// cut takes away at random what was not synced, of every file. What the redo log has behind its last entry that was synced becomes
// rubbish.
func (p *powerCut) cut() (cuts int) {
	p.Helper()
	err := filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".json" || d.Name() == "broker.lock" {
			return err // lists are synced and renamed by the broker itself
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		safe := p.synced[path]
		if filepath.Ext(path) == ".redo" {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			if p.sync == "on" {
				_, err = f.WriteAt(slices.Repeat([]byte{byte(p.rnd.Uint32())}, 1+p.rnd.IntN(100)), safe)
			}
			return err
		}
		size := min(safe, info.Size()) + p.rnd.Int64N(max(info.Size()-safe, 0)+1)
		if p.rnd.IntN(4) == 0 {
			size = min(safe, info.Size())
		}
		cuts++
		if size == 0 && p.rnd.IntN(2) == 0 {
			return os.Remove(path)
		}
		return os.Truncate(path, size)
	})
	if err != nil {
		p.Fatal(err)
	}
	return cuts
}

// TestP1_P13_NoLossOfPowerTakesWhatWasAcknowledged kills a broker with -9 under load and takes away, at random, what no sync had made
// safe: of segments, indexes, commits and the redo log. With sync on, every acknowledged record is there once and reaches the group.
// With sync off, records may be lost; that is told, and no offset is given again: whatever comes after the loss reaches the group.
func TestP1_P13_NoLossOfPowerTakesWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	rounds := 2
	if os.Getenv(proof.Out) != "" {
		rounds = 12
	}
	for _, sync := range []string{"on", "off"} {
		for round := range rounds {
			t.Run(fmt.Sprintf("%s/%d", sync, round), func(t *testing.T) {
				t.Parallel()
				p := &powerCut{
					T: t, dir: t.TempDir(), sync: sync, rnd: rand.New(rand.NewPCG(uint64(round), 12)),
					acked: map[string]bool{}, read: map[string]bool{}, synced: map[string]int64{},
				}
				cuts := 0
				for life := range 3 {
					p.live(life)
					cuts += p.cut()
				}
				p.check(cuts)
			})
		}
	}
}

// check starts the broker on what is left.
func (p *powerCut) check(cuts int) {
	p.Helper()
	log := slog.New(slog.NewTextHandler(&p.told, &slog.HandlerOptions{Level: slog.LevelError}))
	br, err := StartBroker(p.Context(), p.dir, "", cutOptions(p.sync, nil, log)...)
	if err != nil {
		p.Fatalf("%v\n%s", err, p.told.String())
	}
	p.Cleanup(func() { _ = br.Close() })
	b := open(br)
	defer func() { _ = b.Close() }()
	for _, topic := range []string{event.TopicWebhooks, event.TopicInbound} {
		have := p.count(b, topic)
		lost, doubled := 0, 0
		for id := range p.acked {
			switch n := have[id]; {
			case n == 0:
				lost++
			case n > 1:
				doubled++
			}
		}
		if p.sync == "on" {
			proof.Report(p.T, proof.Figures{Events: len(p.acked), Faults: cuts, Lost: lost, Doubled: doubled})
		}
		if doubled > 0 || lost > 0 && p.sync == "on" {
			p.Errorf("%s: %d of %d records are lost, %d doubled\n%s", topic, lost, len(p.acked), doubled, p.told.String())
		}
		if lost > 0 && (!strings.Contains(p.told.String(), "records of a partition are lost") || !strings.Contains(p.told.String(), topic)) {
			p.Errorf("%s: %d records are lost, and no error says so:\n%s", topic, lost, p.told.String())
		}
		if topic == event.TopicInbound {
			p.reaches(b, have)
		}
	}
}

func (p *powerCut) count(b bus.Bus, topic string) map[string]int {
	p.Helper()
	have := map[string]int{}
	ends, err := b.Ends(p.Context(), topic)
	if err != nil {
		p.Fatal(err)
	}
	for n, end := range ends {
		for next := int64(bus.Oldest); next < end; {
			ms, err := b.ReadFrom(p.Context(), topic, n, next, 500)
			if err != nil {
				p.Fatal(err)
			}
			if len(ms) == 0 {
				break
			}
			for _, m := range ms {
				have[m.Event.ID]++
			}
			next = ms[len(ms)-1].Offset + 1
		}
	}
	return have
}

// reaches reads on with the group until everything that is there was read in one life or another.
func (p *powerCut) reaches(b bus.Bus, have map[string]int) {
	p.Helper()
	missing := map[string]bool{}
	for id := range have {
		if !p.read[id] {
			missing[id] = true
		}
	}
	ctx, cancel := context.WithCancel(p.Context())
	var mu sync.Mutex
	done := make(chan error, 1)
	go func() {
		done <- b.Consume(ctx, bus.Subscription{Group: cutGroup, Topics: []string{event.TopicInbound}, Handle: func(_ context.Context, m bus.Message) error {
			mu.Lock()
			defer mu.Unlock()
			delete(missing, m.Event.ID)
			return nil
		}})
	}()
	bustest.Eventually(p.T, "the group does not read everything that is there", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(missing) == 0
	})
	cancel()
	if err := <-done; err != nil {
		p.Error(err)
	}
}
