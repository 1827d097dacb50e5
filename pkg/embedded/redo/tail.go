package redo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"
)

// tail follows the end of a partition's log as the broker writes it.
type tail struct {
	Partition
	folder string
	file   *os.File // a segment
	base   int64    // its first offset
	at     int64    // up to here it was read
	start  int64    // the partition's first offset
	next   int64    // the first offset that was not read

	buf []byte
}

// found bounds how long the broker may take to show a record that it has acknowledged: its segment has another name for the moment
// in which a compaction replaces it.
const found = 2 * time.Second

// read passes on the batches that were not read, up to the record at an offset at least.
func (t *tail) read(offset int64, pass func(raw []byte)) error {
	for deadline := time.Now().Add(found); t.next <= offset; {
		before := t.next
		if err := t.readSegment(pass); err != nil {
			return fmt.Errorf("%s-%d: %w", t.Topic, t.Number, err)
		}
		if t.next > offset {
			break
		}
		moved, err := t.move(offset)
		if err != nil {
			return fmt.Errorf("%s-%d: %w", t.Topic, t.Number, err)
		}
		if !moved && t.next == before {
			if time.Now().After(deadline) {
				t.rewind()
				return fmt.Errorf("%s-%d: the record at offset %d was acknowledged and is in no segment", t.Topic, t.Number, offset)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// readSegment reads what is new in the segment at hand.
func (t *tail) readSegment(pass func(raw []byte)) error {
	if t.file == nil {
		return nil
	}
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < t.at { // the broker took back what it could not write as a whole
		t.rewind()
	}
	t.buf = slices.Grow(t.buf[:0], int(info.Size()-t.at))[:info.Size()-t.at]
	if n, err := t.file.ReadAt(t.buf, t.at); err != nil {
		if !errors.Is(err, io.EOF) {
			return err
		}
		t.buf = t.buf[:n]
	}
	for rest := t.buf; ; {
		b, ok := headBatch(rest)
		if !ok {
			break
		}
		if b.first >= t.next {
			pass(b.raw)
			t.next = b.next
		}
		rest = rest[len(b.raw):]
		t.at += int64(len(b.raw))
	}
	if cap(t.buf) > 1<<20 {
		t.buf = nil
	}
	return nil
}

// move opens the segment that holds the next offset, if it is another one than that at hand. If all that was wanted is trimmed, it
// was read by all who need it.
func (t *tail) move(offset int64) (moved bool, err error) {
	bases, err := segments(t.folder)
	if err != nil || len(bases) == 0 {
		return false, err
	}
	i, exact := slices.BinarySearch(bases, t.next)
	if !exact {
		i = max(i-1, 0)
	}
	if bases[0] > offset {
		t.next = bases[0]
		i = 0
	}
	f, err := os.Open(segmentFile(t.folder, bases[i], ".dat"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if t.file != nil && t.base == bases[i] && sameFile(t.file, f) {
		return false, f.Close()
	}
	t.close()
	t.file, t.base, t.at = f, bases[i], 0
	return true, nil
}

func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	y, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// rewind reads the segment again from its beginning.
func (t *tail) rewind() { t.at, t.next = 0, min(t.next, t.base) }

// forget takes back what was read from an offset on.
func (t *tail) forget(from int64) {
	t.close()
	t.file, t.next = nil, from
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
}
