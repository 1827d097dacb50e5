package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestP1_P13_KilledAndCut kills everything with -9 while webhooks arrive and answers leave, and cuts every segment, every index and
// the groups' commits at random before it starts again, as a loss of power does that took what the operating system had not written:
// what was acknowledged is there once, because the redo log has it.
func TestP1_P13_KilledAndCut(t *testing.T) {
	each(t, func(t *test) {
		if outside() {
			t.Skip("the broker is not ours")
		}
		rnd := rand.New(rand.NewPCG(1, 13))
		t.killedInTheMiddle(func() { t.cutFiles(rnd) })
	})
}

// cutFiles cuts the broker's files, except for the redo log and the lists that the broker syncs when it writes them.
func (t *test) cutFiles(rnd *rand.Rand) {
	t.Helper()
	cuts := 0
	err := filepath.WalkDir(filepath.Join(t.dir, "data", "kafka"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(".dat.idx.log", filepath.Ext(path)) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		cuts++
		if rnd.IntN(5) == 0 {
			return os.Remove(path)
		}
		return os.Truncate(path, rnd.Int64N(info.Size()+1))
	})
	if err != nil || cuts == 0 {
		t.Fatalf("%d files cut, %v", cuts, err)
	}
}

// TestP13_WhatTheStoreLostIsReadAgain cuts the store's log after kill -9, which no loss of power can do to what was committed: the
// loss is told, and what customers wrote is there again, read from the broker.
func TestP13_WhatTheStoreLostIsReadAgain(t *testing.T) {
	each(t, func(t *test) {
		if t.separate {
			t.Skip("the file is that of the one process")
		}
		if err := errors.Join(t.stop(), t.start()); err != nil { // so that what the log has is of the messages
			t.Fatal(err)
		}
		t.register()
		var refs []string
		for i := range 40 {
			ref := fmt.Sprintf("wamid.lost-%d", i)
			if s := t.post("4915188888888", ref, "text "+ref); s != 200 {
				t.Fatalf("webhook %d", s)
			}
			refs = append(refs, ref)
		}
		t.eventually("everything is in the store", func() bool { return t.missing("4915188888888", refs) == 0 })
		t.kill()
		path := filepath.Join(t.dir, "data", "tributary.db-wal")
		info, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, info.Size()/3)
		}
		if err == nil {
			err = t.start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.register()
		t.eventually("everything is in the store again", func() bool { return t.missing("4915188888888", refs) == 0 })
		log, ok := t.log.(*locked)
		if !ok || !log.has("the store has lost commits") {
			t.Error("no error tells that the store has lost commits")
		}
	})
}

// missing counts the messages that a person's conversation does not have exactly once.
func (t *test) missing(peer string, refs []string) (n int) {
	c := t.find(peer)
	if c == nil {
		return len(refs)
	}
	have := map[string]int{}
	for _, m := range t.everything(c.ID) {
		for _, x := range m.ExternalIDs {
			have[x]++
		}
	}
	for _, ref := range refs {
		if have[ref] != 1 {
			n++
		}
	}
	return n
}
