package sqlite

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
)

// The log <file>-wal has a head of 32 bytes and frames: a head of 24 bytes and a page. Its index <file>-shm, which SQLite maps into
// memory, has a head of 48 bytes twice, and behind it how many frames are in the database (sqlite.org/walformat.html).
const (
	logHead   = 32
	frameHead = 24
	indexHead = 48
)

// logIndex is what the index says of the log.
type logIndex struct {
	page   int
	frames int64 // of commits that were acknowledged
	inFile int64 // of those, how many are in the database already
	salt   []byte
}

// Cut tells how many pages of acknowledged commits the log of a file at path has lost: something has cut or changed it since the
// process that wrote them was killed. SQLite itself ends its log at the first damage and says nothing. Without an index, as after an
// orderly stop, nothing is known to be lost. The file must not be open in any process.
func Cut(path string) (pages int64, err error) {
	index, err := readIndex(path + "-shm")
	if err != nil || index == nil || index.inFile >= index.frames {
		return 0, err
	}
	log, err := os.Open(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return index.frames, nil
	}
	if err != nil {
		return 0, err
	}
	defer log.Close() //nolint:errcheck // only read
	whole, err := index.wholeFrames(bufio.NewReaderSize(log, 256<<10))
	return max(index.frames-whole, 0), err
}

// readIndex returns nil if there is no index, or one that was not written to its end.
func readIndex(path string) (*logIndex, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(raw) < 2*indexHead+4 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(raw[:indexHead], raw[indexHead:2*indexHead]) || raw[12] == 0 {
		return nil, nil
	}
	coded := int(binary.NativeEndian.Uint16(raw[14:]))
	return &logIndex{
		page: coded&0xfe00 | coded&1<<16, frames: int64(binary.NativeEndian.Uint32(raw[16:])),
		inFile: int64(binary.NativeEndian.Uint32(raw[2*indexHead:])), salt: raw[32:40],
	}, nil
}

// wholeFrames counts the frames whose checksums are right, up to those that the index speaks of. A log that was begun anew, of which
// the index does not know yet, has lost nothing.
func (x *logIndex) wholeFrames(log io.Reader) (n int64, err error) {
	head := make([]byte, logHead)
	if _, err := io.ReadFull(log, head); err != nil {
		return 0, unlessShort(err)
	}
	if !bytes.Equal(head[16:24], x.salt) {
		return x.frames, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(head)&1 == 1 {
		order = binary.BigEndian
	}
	sum := logSum{order: order}
	if sum.add(head[:24]); !sum.is(head[24:]) {
		return 0, nil
	}
	frame := make([]byte, frameHead+x.page)
	for ; n < x.frames; n++ {
		if _, err := io.ReadFull(log, frame); err != nil {
			return n, unlessShort(err)
		}
		sum.add(frame[:8])
		sum.add(frame[frameHead:])
		if !bytes.Equal(frame[8:16], x.salt) || !sum.is(frame[16:24]) {
			return n, nil
		}
	}
	return n, nil
}

func unlessShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// logSum is the checksum of the log, over everything before.
type logSum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (s *logSum) add(p []byte) {
	for ; len(p) >= 8; p = p[8:] {
		s.a += s.order.Uint32(p) + s.b
		s.b += s.order.Uint32(p[4:]) + s.a
	}
}

func (s *logSum) is(sum []byte) bool {
	return binary.BigEndian.Uint32(sum) == s.a && binary.BigEndian.Uint32(sum[4:]) == s.b
}
