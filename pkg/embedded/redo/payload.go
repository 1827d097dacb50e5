package redo

import (
	"encoding/binary"
	"errors"
)

// A payload is chunks: batches of one partition, or a mark that says where a partition begins and ends.
const (
	kindBatches = 'B'
	kindMark    = 'M'
)

func chunkHead(buf []byte, kind byte, p Partition) []byte {
	buf = append(buf, kind, byte(len(p.Topic))) // Kafka's topic names have at most 249 bytes
	buf = append(buf, p.Topic...)
	return binary.LittleEndian.AppendUint32(buf, uint32(p.Number))
}

func appendMark(buf []byte, p Partition, start, end int64) []byte {
	buf = chunkHead(buf, kindMark, p)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(start))
	return binary.LittleEndian.AppendUint64(buf, uint64(end))
}

// openBatches begins a chunk of batches; closeBatches writes its length, or takes it away if nothing was added.
func openBatches(buf []byte, p Partition) (_ []byte, at int) {
	buf = chunkHead(buf, kindBatches, p)
	return append(buf, 0, 0, 0, 0), len(buf) + 4
}

func closeBatches(buf []byte, at int, p Partition) []byte {
	if len(buf) == at {
		return buf[:at-4-4-2-len(p.Topic)]
	}
	binary.LittleEndian.PutUint32(buf[at-4:], uint32(len(buf)-at))
	return buf
}

var errPayload = errors.New("an entry of the redo log has a right checksum and no meaning: was it written by a newer version?")

// chunk is one part of a payload: batches at an offset of the payload, or a mark.
type chunk struct {
	Partition
	kind       byte
	at         int
	batches    []byte
	start, end int64
}

func readChunks(payload []byte, visit func(chunk)) error {
	for at := 0; at < len(payload); {
		c, n := readChunk(payload[at:])
		if n == 0 {
			return errPayload
		}
		c.at += at
		visit(c)
		at += n
	}
	return nil
}

// readChunk returns the first chunk and its length; zero if it is none.
func readChunk(b []byte) (c chunk, n int) {
	if len(b) < 2 || len(b) < 2+int(b[1])+8 {
		return c, 0
	}
	c.kind, c.Topic = b[0], string(b[2:2+int(b[1])])
	at := 2 + int(b[1])
	c.Number = int32(binary.LittleEndian.Uint32(b[at:]))
	at += 4
	switch c.kind {
	case kindBatches:
		length := int(binary.LittleEndian.Uint32(b[at:]))
		if length > len(b)-at-4 {
			return c, 0
		}
		c.at, c.batches = at+4, b[at+4:at+4+length]
		return c, at + 4 + length
	case kindMark:
		if len(b) < at+16 {
			return c, 0
		}
		c.start, c.end = int64(binary.LittleEndian.Uint64(b[at:])), int64(binary.LittleEndian.Uint64(b[at+8:]))
		return c, at + 16
	}
	return c, 0
}
