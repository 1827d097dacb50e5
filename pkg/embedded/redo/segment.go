package redo

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A partition is a folder partitions/<topic>-<number> with segments. A segment <first offset>.dat is record batches as the Kafka
// protocol has them (version 2), one after the other; beside it <first offset>.idx has an entry of 15 bytes for each batch
// (kfake, persist.go).
const (
	batchHead  = 61 // bytes of a batch in front of its records
	indexEntry = 15
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Partition names a partition of a topic.
type Partition struct {
	Topic  string
	Number int32
}

func (p Partition) folder(dir string) string {
	return filepath.Join(dir, "partitions", url.PathEscape(p.Topic)+"-"+strconv.Itoa(int(p.Number)))
}

// partitionOf reads the name of a partition's folder.
func partitionOf(folder string) (Partition, bool) {
	i := strings.LastIndexByte(folder, '-')
	if i < 0 {
		return Partition{}, false
	}
	topic, err := url.PathUnescape(folder[:i])
	n, err2 := strconv.ParseInt(folder[i+1:], 10, 32)
	return Partition{topic, int32(n)}, errors.Join(err, err2) == nil
}

// batch is a record batch with the offsets from first to next-1.
type batch struct {
	first, next int64
	raw         []byte
}

// headBatch returns the batch at the head of raw, if all its bytes are there. It does not look at the checksum.
func headBatch(raw []byte) (b batch, ok bool) {
	if len(raw) < batchHead {
		return b, false
	}
	size := 12 + int64(int32(binary.BigEndian.Uint32(raw[8:])))
	if size < batchHead || size > int64(len(raw)) {
		return b, false
	}
	b.first = int64(binary.BigEndian.Uint64(raw))
	b.next = b.first + int64(int32(binary.BigEndian.Uint32(raw[23:]))) + 1
	b.raw = raw[:size]
	return b, b.next > b.first
}

// intact compares the checksum.
func (b batch) intact() bool {
	return binary.BigEndian.Uint32(b.raw[17:]) == crc32.Checksum(b.raw[21:], castagnoli)
}

// index is the entry of the index. The largest timestamp before the batch stays zero: the broker works it out when it loads.
func (b batch) index() []byte {
	e := make([]byte, indexEntry)
	e[0] = 1
	binary.LittleEndian.PutUint32(e[2:], binary.BigEndian.Uint32(b.raw[12:])) // the leader epoch
	e[1] = byte(crc32.Checksum(e[2:], castagnoli))
	return e
}

// marker returns a batch without records for readers that ends at an offset: a control batch that commits nothing.
func marker(offset int64) batch {
	r := kmsg.Record{Key: []byte{0, 0, 0, 1}, Value: []byte{0, 0, 0, 0, 0, 0}}
	r.Length = int32(len(r.AppendTo(nil)) - 1) // the length of the length itself, which is one byte for so few
	b := kmsg.RecordBatch{
		FirstOffset: offset, PartitionLeaderEpoch: 0, Magic: 2, Attributes: 0x20, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: 1, Records: r.AppendTo(nil),
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return batch{offset, offset + 1, raw}
}

// segments lists the first offsets of a partition's segments, rising.
func segments(folder string) ([]int64, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []int64
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".dat"); ok {
			if base, err := strconv.ParseInt(name, 10, 64); err == nil && base >= 0 {
				all = append(all, base)
			}
		}
	}
	slices.Sort(all)
	return all, err
}

func segmentFile(folder string, base int64, suffix string) string {
	return filepath.Join(folder, strconv.FormatInt(base, 10)+suffix)
}
