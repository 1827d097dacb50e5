// Package redo makes what the in-process broker acknowledges survive a loss of power.
//
// The broker (kfake) appends to a file per partition and does not sync. Syncing each of them before every acknowledgement costs a
// commit of the file system's journal per file. This package has the answers to produce requests wait instead until the records
// are in one redo log, which is overwritten in place and synced once for all who wait. At the start, what the partitions lack is
// put back from it, byte by byte and at the same offsets. The partitions are synced now and then, so that the redo log can begin
// anew.
package redo

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// Options of Open.
type Options struct {
	Log *slog.Logger
	// Sync has acknowledgements wait for the disk. Without it the redo log only notes how far the partitions reach, so that a
	// loss is noticed.
	Sync bool
	// Reread names topics whose groups begin with the oldest record that is kept, because what they made of the records is lost.
	// nil: all groups go on where they were.
	Reread func(topic string) bool
	// Topics is how the topics were made, should the broker's list of them be lost.
	Topics []bus.TopicSpec

	Disk Disk // nil: the real one
}

// Log is the redo log of a broker's data folder.
type Log struct {
	dir  string
	log  *slog.Logger
	sync bool
	disk Disk

	mu      sync.Mutex
	waiting *round
	busy    bool          // a round is under way
	broken  error         // why no round can succeed any more
	failed  chan struct{} // closed with broken

	work    sync.Mutex // held by the round under way; guards what follows
	files   *files
	tails   map[Partition]*tail
	entry   []byte
	marked  map[Partition]bool // partitions whose mark has changed since it was written
	dirty   map[string]bool    // segments that were written to since the last checkpoint
	syncing map[string]bool    // the same, which a checkpoint is syncing
	grown   int64              // bytes since the last checkpoint

	safe    atomic.Uint64 // the partitions have all entries up to this number on the disk
	running sync.WaitGroup
	quiet   rate.Sometimes
}

// round is what one sync serves.
type round struct {
	acks map[Partition]int64 // the highest offset of each partition that somebody waits for
	done chan struct{}
	err  error
}

// checkpointBytes is after how much the partitions are synced, in the background.
const checkpointBytes = fileBytes / 2

// Open mends the data folder of a broker that does not run, and opens its redo log. What was cut is logged.
func Open(dir string, o Options) (*Log, error) {
	l := &Log{
		dir: dir, log: o.Log, sync: o.Sync, disk: o.Disk, tails: map[Partition]*tail{}, marked: map[Partition]bool{},
		dirty: map[string]bool{}, failed: make(chan struct{}), quiet: rate.Sometimes{First: 1, Interval: 10 * time.Second},
	}
	if l.disk == nil {
		l.disk = realDisk{}
	}
	folder := filepath.Join(dir, "redo")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	var err error
	if l.files, err = openFiles(folder, l.disk); err != nil {
		return nil, fmt.Errorf("redo log: %w", err)
	}
	if err = l.mend(o); err == nil && l.sync {
		err = l.begin(folder)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("redo log: %w", err), l.files.close())
	}
	return l, nil
}

// begin brings everything that is there to the disk: what was mended, and what a process left that was killed.
func (l *Log) begin(folder string) error {
	for _, t := range l.tails {
		bases, err := segments(t.folder)
		if err != nil {
			return err
		}
		for _, base := range bases {
			l.dirty[segmentFile(t.folder, base, ".dat")] = true
		}
	}
	paths := append(l.takeDirty(), folder, filepath.Dir(l.dir))
	if err := l.syncAll(paths); err != nil {
		return err
	}
	l.safe.Store(l.files.number)
	return nil
}

// Wait returns when the records with these offsets, and all before them, are on the disk. A log that does not sync only notes them.
func (l *Log) Wait(acks map[Partition]int64) error {
	if !l.sync {
		return l.note(acks)
	}
	l.mu.Lock()
	if l.broken != nil {
		defer l.mu.Unlock()
		return l.broken
	}
	r := l.waiting
	if r == nil {
		r = &round{acks: make(map[Partition]int64, len(acks)), done: make(chan struct{})}
		l.waiting = r
	}
	for p, offset := range acks {
		if have, ok := r.acks[p]; !ok || offset > have {
			r.acks[p] = offset
		}
	}
	if !l.busy {
		l.busy = true
		l.running.Go(l.rounds)
	}
	l.mu.Unlock()
	<-r.done
	return r.err
}

// rounds serves one round after the other until nobody waits.
func (l *Log) rounds() {
	for {
		l.mu.Lock()
		r := l.waiting
		l.waiting = nil
		if r == nil {
			l.busy = false
			l.mu.Unlock()
			return
		}
		r.err = l.broken
		l.mu.Unlock()
		if r.err == nil {
			r.err = l.commit(r.acks)
		}
		if r.err != nil {
			l.fail(r.err)
		}
		close(r.done)
	}
}

// commit writes one entry with everything that the partitions have got, and syncs it.
func (l *Log) commit(acks map[Partition]int64) error {
	l.work.Lock()
	defer l.work.Unlock()
	before := map[*tail]int64{}
	err := l.collect(acks, before)
	if err == nil {
		err = l.write()
	}
	if err != nil {
		for t, next := range before {
			t.forget(next) // all of it is read again with the next round
		}
	}
	return err
}

func (l *Log) collect(acks map[Partition]int64, before map[*tail]int64) error {
	l.entry = append(l.entry[:0], make([]byte, entryHead)...)
	for p, offset := range acks {
		t := l.tail(p)
		before[t] = t.next
		at := 0
		l.entry, at = openBatches(l.entry, p)
		err := t.read(offset, func(raw []byte) {
			l.entry = append(l.entry, raw...)
			l.dirty[segmentFile(t.folder, t.base, ".dat")] = true
		})
		l.entry = closeBatches(l.entry, at, p)
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) tail(p Partition) *tail {
	t := l.tails[p]
	if t == nil {
		t = &tail{Partition: p, folder: p.folder(l.dir)}
		l.tails[p] = t
	}
	return t
}

// write adds the entry at hand, with the marks that have changed.
func (l *Log) write() error {
	for p := range l.marked {
		t := l.tails[p]
		l.entry = appendMark(l.entry, p, t.start, t.next)
	}
	if len(l.entry) == entryHead {
		return nil
	}
	if l.files.full(l.entry) {
		if err := l.turn(); err != nil {
			return err
		}
	}
	if err := l.files.write(l.entry, l.sync); err != nil {
		return err
	}
	clear(l.marked)
	l.grown += int64(len(l.entry))
	if cap(l.entry) > 1<<20 {
		l.entry = nil
	}
	if l.sync && l.grown > checkpointBytes && l.syncing == nil {
		paths, number := l.takeDirty(), l.files.number
		l.running.Go(func() { l.checkpoint(paths, number) })
	}
	return nil
}

// turn goes on with the other file, with where every partition begins and ends. What the other file holds must be on the disk.
func (l *Log) turn() error {
	if l.sync && l.safe.Load() < l.files.oldest() {
		paths := l.takeDirty()
		for path := range l.syncing {
			paths = append(paths, path)
		}
		if err := l.syncAll(paths); err != nil {
			return err
		}
		l.syncing = nil
		l.safe.Store(l.files.number)
	}
	rest := append([]byte(nil), l.entry[entryHead:]...)
	l.entry = l.entry[:entryHead]
	for p, t := range l.tails {
		l.entry = appendMark(l.entry, p, t.start, t.next)
	}
	l.entry = append(l.entry, rest...)
	l.files.turn()
	return nil
}

// takeDirty returns what the next checkpoint has to sync.
func (l *Log) takeDirty() []string {
	paths := make([]string, 0, len(l.dirty))
	for path := range l.dirty {
		paths = append(paths, path)
	}
	l.syncing, l.dirty, l.grown = l.dirty, map[string]bool{}, 0
	return paths
}

// checkpoint syncs the partitions beside the rounds.
func (l *Log) checkpoint(paths []string, number uint64) {
	err := l.syncAll(paths)
	l.work.Lock()
	defer l.work.Unlock()
	l.syncing = nil
	if err != nil {
		for _, path := range paths {
			l.dirty[path] = true
		}
		l.fail(err)
		return
	}
	l.safe.Store(max(l.safe.Load(), number))
}

// syncAll brings segments and the names of their folders to the disk, and the groups' commits.
func (l *Log) syncAll(paths []string) error {
	folders := map[string]bool{filepath.Join(l.dir, "partitions"): true, l.dir: true}
	for _, path := range paths {
		if err := l.syncFile(path); err != nil {
			return err
		}
		folders[filepath.Dir(path)] = true
	}
	for folder := range folders {
		if err := l.syncFile(folder); err != nil {
			return err
		}
	}
	return l.syncFile(l.commits())
}

// commits is the file of the groups' commits.
func (l *Log) commits() string { return filepath.Join(l.dir, "groups.log") }

// SyncCommits brings the groups' commits to the disk. Records must not be deleted before the commits that make them needless are
// there, else a group would miss them after a loss of power.
func (l *Log) SyncCommits() error {
	if !l.sync {
		return nil
	}
	l.mu.Lock()
	err := l.broken
	l.mu.Unlock()
	if err == nil {
		if err = l.syncFile(l.commits()); err != nil {
			l.fail(err)
		}
	}
	return err
}

// note writes how far partitions reach at least.
func (l *Log) note(acks map[Partition]int64) error {
	l.work.Lock()
	defer l.work.Unlock()
	for p, offset := range acks {
		if t := l.tail(p); t.next <= offset {
			t.next = offset + 1
			l.marked[p] = true
		}
	}
	l.entry = append(l.entry[:0], make([]byte, entryHead)...)
	return l.write()
}

// Trimmed notes where a partition begins. It is written with the next entry.
func (l *Log) Trimmed(p Partition, start int64) {
	l.work.Lock()
	defer l.work.Unlock()
	if t := l.tail(p); t.start != start {
		t.start = start
		l.marked[p] = true
	}
}

// Close syncs what the broker has written; it must not run any more.
func (l *Log) Close() error {
	l.running.Wait()
	l.work.Lock()
	defer l.work.Unlock()
	var err error
	if l.sync {
		err = l.syncAll(l.takeDirty())
	}
	for _, t := range l.tails {
		t.close()
	}
	return errors.Join(err, l.files.close())
}
