package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/embedded/redo"
	"github.com/tributaryhq/tributary/pkg/event"
)

// failingDisk syncs nothing, and once told so fails to sync files with a name's ending.
type failingDisk struct{ ending atomic.Value }

func (d *failingDisk) fail(path string) error {
	if ending, _ := d.ending.Load().(string); ending != "" && strings.HasSuffix(path, ending) {
		return fmt.Errorf("sync %s: %w", path, syscall.EIO)
	}
	return nil
}

func (d *failingDisk) Data(f *os.File, _, _ int64) error { return d.fail(f.Name()) }

func (d *failingDisk) File(path string) error { return d.fail(path) }

// After any sync that failed, nothing is acknowledged: not what waited for it, and nothing later, also when the disk is
// well again. It is told, and a restart goes on with everything that was acknowledged.
func TestP1_P13_AfterAFailedSyncNothingIsAcknowledgedUntilARestart(t *testing.T) {
	t.Parallel()
	for ending, meet := range map[string]func(t *testing.T, br *Broker, b bus.Bus){
		".redo": func(*testing.T, *Broker, bus.Bus) {},
		".dat": func(t *testing.T, br *Broker, b bus.Bus) { // segments are synced after every 16 MB
			big := numbered(1_000_000)
			noise := make([]byte, 200<<10) // what cannot be compressed
			_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
			big.Event.Data = fmt.Appendf(nil, "%q", fmt.Sprintf("%x", noise))
			bustest.Eventually(t, "the segments are not synced", func() bool {
				return b.Publish(t.Context(), big) != nil
			})
		},
		"groups.log": func(t *testing.T, br *Broker, b bus.Bus) { // commits are synced before records are deleted
			br.Reads("g", event.TopicInbound)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- b.Consume(ctx, bus.Subscription{
					Group: "g", Topics: []string{event.TopicInbound}, Handle: func(context.Context, bus.Message) error { return nil },
				})
			}()
			bustest.Eventually(t, "nothing is trimmed", func() bool { return br.Trim(t.Context()) != nil })
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(strings.TrimPrefix(ending, "."), func(t *testing.T) {
			t.Parallel()
			f := &failedSync{T: t, dir: t.TempDir()}
			br, b := f.start(&f.disk)
			f.publish(b, 0, 20)
			f.disk.ending.Store(ending)
			meet(t, br, b)
			f.refused(b, 20)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := br.Failed(ctx); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "until a restart") {
				t.Errorf("why it ended: %v", err)
			}
			f.disk.ending.Store("")
			f.refused(b, 21)
			f.stop(br, b)
			if told := f.told.String(); !strings.Contains(told, "level=ERROR msg=\"the broker acknowledges nothing") {
				t.Errorf("logged: %s", told)
			}
			br, b = f.start(nil)
			defer f.stop(br, b)
			f.publish(b, 22, 23)
			f.check(b)
		})
	}
}

// failedSync is a data folder with a disk that fails.
type failedSync struct {
	*testing.T
	dir  string
	disk failingDisk
	told bytes.Buffer // errors
}

func (f *failedSync) start(disk redo.Disk) (*Broker, bus.Bus) {
	f.Helper()
	log := slog.New(slog.NewTextHandler(&f.told, &slog.HandlerOptions{Level: slog.LevelError}))
	options := func(o *redo.Options) { o.Disk, o.Log = disk, log }
	br, err := StartBroker(f.Context(), filepath.Join(f.dir, "kafka"), "", options)
	if err != nil {
		f.Fatal(err)
	}
	b := open(br)
	if err := b.EnsureTopics(f.Context(), Topics()); err != nil {
		f.Fatal(err)
	}
	return br, b
}

func (f *failedSync) stop(br *Broker, b bus.Bus) {
	f.Helper()
	if err := b.Close(); err != nil {
		f.Error(err)
	}
	if err := br.Close(); err != nil {
		f.Error(err)
	}
}

// publish has records acknowledged, with numbers from one on and below another.
func (f *failedSync) publish(b bus.Bus, from, below int) {
	f.Helper()
	for n := from; n < below; n++ {
		if err := b.Publish(f.Context(), numbered(n)); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *failedSync) refused(b bus.Bus, n int) {
	f.Helper()
	if b.Publish(f.Context(), numbered(n)) == nil {
		f.Errorf("record %d was acknowledged", n)
	}
}

// check looks for every record that was acknowledged.
func (f *failedSync) check(b bus.Bus) {
	f.Helper()
	ends, err := b.Ends(f.Context(), event.TopicInbound)
	if err != nil {
		f.Fatal(err)
	}
	times := map[string]int{}
	for p, end := range ends {
		for _, m := range readAll(f.T, b, p, end) {
			times[m.Event.ID]++
		}
	}
	for n := range 23 {
		if refused := n == 20 || n == 21; !refused && times[strconv.Itoa(n)] != 1 {
			f.Errorf("record %d was acknowledged and is there %d times", n, times[strconv.Itoa(n)])
		}
	}
}
