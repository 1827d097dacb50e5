package embedded

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/embedded/redo"
	"github.com/tributaryhq/tributary/pkg/event"
)

// Whatever part of a partition is lost, redo log included: what is published afterwards has offsets that no group has committed. The
// loss is told with topic and partition, and a damaged list neither stops the start nor makes topics forget their records.
func TestP1_OffsetsBelowACommitAreNotGivenAgain(t *testing.T) {
	t.Parallel()
	const records = 20
	lose := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			for _, name := range append(names, "redo") {
				found, err := filepath.Glob(filepath.Join(dir, name))
				if err != nil || len(found) == 0 {
					t.Fatalf("%s: %v, %v", name, found, err)
				}
				for _, path := range found {
					if err := os.RemoveAll(path); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	segment := "partitions/tributary.inbound-0/0.dat"
	for name, tc := range map[string]struct {
		damage func(t *testing.T, dir string)
		told   string // in the errors; "": there are none
	}{
		"nothing but the redo log": {lose(), ""},
		"the segment":              {lose(segment), "lost_records=20"},
		"the folder":               {lose("partitions/tributary.inbound-0"), "lost_records=20"},
		"the index":                {lose("partitions/tributary.inbound-0/0.idx"), ""},
		"the snapshot":             {lose("partitions/*/snapshot.json"), ""},
		"the end of the segment":   {shorten(segment, 37), "lost_records=1 lost_from=19 lost_to=20"},
		"most of the segment":      {shorten(segment, 3000), "records of a partition are lost"},
		"a byte in the middle":     {flip(segment), "records of a partition are lost"},
		"the list of topics":       {lose("topics.json"), "topics.json"},
		"half the list of topics":  {shorten("topics.json", 400), "topics.json"},
		"every list": {lose("topics.json", "meta.json", "broker_configs.json", "acls.json", "seq_windows.json"),
			"meta.json"},
		"the end of every list":  {shorten("seq_windows.json", 1), "seq_windows.json"},
		"the end of the commits": {shorten("groups.log", 3), "groups.log"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			fill(t, dir, records)
			tc.damage(t, dir)
			var told bytes.Buffer
			log := slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelError}))
			br, err := StartBroker(t.Context(), dir, "", func(o *redo.Options) { o.Log = log })
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = br.Close() }()
			b := open(br)
			defer func() { _ = b.Close() }()
			if err := b.EnsureTopics(t.Context(), Topics()); err != nil {
				t.Fatal(err)
			}
			if err := b.Publish(t.Context(), sameKey(records)); err != nil {
				t.Fatal(err)
			}
			eventuallyRead(t, b, "20")
			if tc.told == "" && told.Len() > 0 || !strings.Contains(told.String(), tc.told) {
				t.Errorf("want errors with %q, got\n%s", tc.told, told.String())
			}
		})
	}
}

func sameKey(n int) event.Record {
	r := numbered(n)
	r.Key = "k3" // in partition 0
	return r
}

// fill publishes records, reads and commits them with a group, and stops in order.
func fill(t *testing.T, dir string, records int) {
	t.Helper()
	br, err := StartBroker(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	b := open(br)
	if err := b.EnsureTopics(t.Context(), Topics()); err != nil {
		t.Fatal(err)
	}
	for n := range records {
		if err := b.Publish(t.Context(), sameKey(n)); err != nil {
			t.Fatal(err)
		}
	}
	consume(t, b, cutGroup, records)
	if p := br.cluster.PartitionInfo(event.TopicInbound, 0); p.HighWatermark != int64(records) {
		t.Fatalf("partition 0 has %d records: choose another key", p.HighWatermark)
	}
	_, _ = b.Close(), br.Close()
}

// eventuallyRead reads with the group until a record comes.
func eventuallyRead(t *testing.T, b bus.Bus, id string) {
	t.Helper()
	p := &powerCut{T: t, read: map[string]bool{}}
	p.reaches(b, map[string]int{id: 1})
}

func shorten(name string, by int64) func(t *testing.T, dir string) {
	return change(name, func(content []byte) []byte { return content[:int64(len(content))-by] })
}

func flip(name string) func(t *testing.T, dir string) {
	return change(name, func(content []byte) []byte {
		content[len(content)/2] ^= 0x10
		return content
	})
}

// change changes a file, and takes the redo log away.
func change(name string, how func([]byte) []byte) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, how(content), 0o600)
		}
		if err == nil {
			err = os.RemoveAll(filepath.Join(dir, "redo"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
