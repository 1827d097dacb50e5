package redo

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// history is what the redo log knows of a partition.
type history struct {
	start, end int64
	pieces     []piece // in the order of their offsets
}

// piece is batches that follow each other in the redo log, with the offsets from first to next-1.
type piece struct {
	content     *os.File
	at          int64
	size        int
	first, next int64
}

// add notes batches. Those that were taken back before them, because the broker could not write them, were never acknowledged.
func (h *history) add(p piece) {
	for len(h.pieces) > 0 {
		last := &h.pieces[len(h.pieces)-1]
		if last.next <= p.first {
			break
		}
		if last.first < p.first {
			last.next = p.first
			break
		}
		h.pieces = h.pieces[:len(h.pieces)-1]
	}
	h.pieces = append(h.pieces, p)
	h.end = max(h.end, p.next)
}

// between returns the batches with offsets from an offset on and below a limit, in their order.
func (h *history) between(from, limit int64) (all []batch, err error) {
	for _, p := range h.pieces {
		if p.next <= from || p.first >= limit {
			continue
		}
		raw := make([]byte, p.size)
		if _, err := p.content.ReadAt(raw, p.at); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for {
			b, ok := headBatch(raw)
			if !ok || b.next > min(limit, p.next) {
				break
			}
			if b.first >= from {
				all, from = append(all, b), b.next
			}
			raw = raw[len(b.raw):]
		}
	}
	return all, nil
}

// mender mends a folder. The broker itself would cut a segment at its first damage, give the offsets behind it to other records,
// and append to list files behind their damage.
type mender struct {
	*Log
	history map[Partition]*history
	commits map[Partition]int64 // the highest of any group
	specs   map[string]bus.TopicSpec
}

func (l *Log) mend(o Options) error {
	m := &mender{Log: l, history: map[Partition]*history{}, specs: map[string]bus.TopicSpec{}}
	for _, t := range o.Topics {
		m.specs[t.Name] = t
	}
	if err := l.files.scan(m.remember); err != nil {
		return err
	}
	var err error
	if m.commits, err = m.mendGroups(o.Reread); err != nil {
		return err
	}
	if _, err = m.mendEntries("pids.log"); err != nil {
		return err
	}
	all, err := m.partitions()
	if err != nil || len(all) == 0 {
		return err
	}
	for p := range all {
		if err := m.mendPartition(p); err != nil {
			return fmt.Errorf("%s-%d: %w", p.Topic, p.Number, err)
		}
	}
	return m.mendState(all)
}

// remember notes where the batches of an entry are, and the marks.
func (m *mender) remember(c content) error {
	return readChunks(c.payload, func(ch chunk) {
		h := m.of(ch.Partition)
		if ch.kind == kindMark {
			h.start, h.end = max(h.start, ch.start), max(h.end, ch.end)
			return
		}
		p := piece{content: c.file, at: c.at + int64(ch.at), size: len(ch.batches), first: -1}
		for raw := ch.batches; ; {
			b, ok := headBatch(raw)
			if !ok {
				break
			}
			if p.first < 0 {
				p.first = b.first
			}
			p.next, raw = b.next, raw[len(b.raw):]
		}
		if p.first >= 0 {
			h.add(p)
		}
	})
}

func (m *mender) of(p Partition) *history {
	h := m.history[p]
	if h == nil {
		h = &history{}
		m.history[p] = h
	}
	return h
}

// partitions lists those that have a folder, and those that anything else speaks of.
func (m *mender) partitions() (map[Partition]bool, error) {
	all := map[Partition]bool{}
	for p := range m.history {
		all[p] = true
	}
	for p := range m.commits {
		all[p] = true
	}
	entries, err := os.ReadDir(filepath.Join(m.dir, "partitions"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if p, ok := partitionOf(e.Name()); ok {
			all[p] = true
		}
	}
	return all, nil
}

// damage is what was wrong with a partition.
type damage struct {
	cut      int64 // bytes that were no whole batch
	restored int64 // records put back
	missing  int   // batches that the index speaks of and nothing else
	from, to int64 // offsets that nothing has any more
}

func (m *mender) mendPartition(p Partition) error {
	h, t := m.of(p), m.tail(p)
	t.start = h.start
	var d damage
	bases, err := m.mendHead(p, h, &d)
	if err != nil {
		return err
	}
	t.next = h.start
	for i, base := range bases {
		limit := int64(math.MaxInt64)
		if i+1 < len(bases) {
			limit = bases[i+1]
		}
		if t.next, err = m.mendSegment(p, base, limit, &d); err != nil {
			return err
		}
	}
	if end := max(h.end, m.commits[p]); t.next < end {
		d.from, d.to = t.next, end
		if err := m.skip(t, bases, end-1); err != nil {
			return err
		}
	}
	m.tell(p, d)
	return nil
}

// mendHead puts back segments that are missing before the first one, or altogether, and lists them all.
func (m *mender) mendHead(p Partition, h *history, d *damage) ([]int64, error) {
	folder := p.folder(m.dir)
	bases, err := segments(folder)
	if err != nil || m.specs[p.Topic].Compacted && len(bases) > 0 {
		return bases, err // what a compaction took out is not missing
	}
	limit := int64(math.MaxInt64)
	if len(bases) > 0 {
		limit = bases[0]
	}
	lacking, err := h.between(h.start, limit)
	if err != nil || len(lacking) == 0 {
		return bases, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	base := lacking[0].first
	d.restored += records(lacking)
	return append([]int64{base}, bases...), writeSegment(folder, base, nil, lacking)
}

// mendSegment cuts what is no whole batch, and puts back what lacks before the next segment. It returns where the segment ends.
func (m *mender) mendSegment(p Partition, base, limit int64, d *damage) (end int64, err error) {
	folder := p.folder(m.dir)
	raw, err := os.ReadFile(segmentFile(folder, base, ".dat"))
	if err != nil {
		return 0, err
	}
	there, size := wholeBatches(raw, base)
	end = base
	if len(there) > 0 {
		end = there[len(there)-1].next
	}
	var lacking []batch
	if limit == math.MaxInt64 || !m.specs[p.Topic].Compacted {
		if lacking, err = m.of(p).between(end, limit); err != nil {
			return 0, err
		}
	}
	indexed := 0
	if info, err := os.Stat(segmentFile(folder, base, ".idx")); err == nil {
		indexed = int(info.Size()) / indexEntry
	}
	d.cut += int64(len(raw) - size)
	d.restored += records(lacking)
	d.missing += max(indexed-len(there)-len(lacking), 0)
	if len(lacking) > 0 {
		end = lacking[len(lacking)-1].next
	}
	if size < len(raw) || len(lacking) > 0 || indexed != len(there) {
		err = writeSegment(folder, base, there, lacking)
	}
	return end, err
}

// wholeBatches are those at the head of a segment that can be read, and how many bytes they are.
func wholeBatches(raw []byte, base int64) (all []batch, size int) {
	for end := base; ; {
		b, ok := headBatch(raw[size:])
		if !ok || b.first < end || !b.intact() {
			return all, size
		}
		all, end, size = append(all, b), b.next, size+len(b.raw)
	}
}

func records(bs []batch) (n int64) {
	for _, b := range bs {
		n += b.next - b.first
	}
	return n
}

// writeSegment cuts a segment behind the batches that are there, appends those that lack, and writes its index.
func writeSegment(folder string, base int64, there, lacking []batch) error {
	f, err := os.OpenFile(segmentFile(folder, base, ".dat"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	var size int64
	var index []byte
	for _, b := range there {
		size += int64(len(b.raw))
		index = append(index, b.index()...)
	}
	err = f.Truncate(size)
	for _, b := range lacking {
		if err == nil {
			_, err = f.WriteAt(b.raw, size)
		}
		size += int64(len(b.raw))
		index = append(index, b.index()...)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return replaceFile(segmentFile(folder, base, ".idx"), index)
}

// skip has the log end behind an offset, so that the offsets before it are not given to other records.
func (m *mender) skip(t *tail, bases []int64, offset int64) error {
	mark := marker(offset)
	t.next = mark.next
	if len(bases) == 0 {
		if err := os.MkdirAll(t.folder, 0o700); err != nil {
			return err
		}
		return writeSegment(t.folder, offset, nil, []batch{mark})
	}
	base := bases[len(bases)-1]
	raw, err := os.ReadFile(segmentFile(t.folder, base, ".dat"))
	if err != nil {
		return err
	}
	there, _ := wholeBatches(raw, base)
	return writeSegment(t.folder, base, there, []batch{mark})
}

func (m *mender) tell(p Partition, d damage) {
	if d == (damage{}) {
		return
	}
	what := "the log of a partition ended in the middle of a record, which was cut off"
	switch {
	case d.to > d.from || d.missing > 0:
		what = "records of a partition are lost: see \"Loss of power, loss of files\" in docs/guide/operate.md"
	case d.restored > 0:
		what = "the log of a partition was cut, and put back from the redo log"
	}
	m.log.Error(what, "topic", p.Topic, "partition", p.Number, "cut_bytes", d.cut, "restored_records", d.restored,
		"lost_records", d.to-d.from, "lost_from", d.from, "lost_to", d.to, "lost_batches", d.missing)
}
