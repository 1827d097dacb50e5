package mediainfo

import (
	"encoding/binary"
	"io"
)

const (
	maxBoxes = 2000 // of a file that are looked at
	maxHead  = 128  // bytes of a box that are read
)

// mp4Reader walks the boxes of a file of the ISO base media format (ISO/IEC 14496-12).
type mp4Reader struct {
	r     io.ReadSeeker
	boxes int
	scale uint64
	ticks uint64
	facts Facts
}

func mp4(r io.ReadSeeker, size int64) Facts {
	m := &mp4Reader{r: r}
	m.walk(0, size, 0)
	m.facts.Duration = units(m.ticks, m.scale)
	return m.facts
}

// walk looks at the boxes between two places of the file.
func (m *mp4Reader) walk(at, end int64, depth int) {
	for at+8 <= end && m.boxes < maxBoxes {
		m.boxes++
		var head [16]byte
		n := readAt(m.r, at, head[:])
		if n < 8 {
			return
		}
		size, body := int64(binary.BigEndian.Uint32(head[:])), at+8
		switch {
		case size == 0: // to the end
			size = end - at
		case size == 1 && n == 16:
			size, body = int64(min(binary.BigEndian.Uint64(head[8:]), 1<<62)), at+16
		}
		if size < body-at {
			return
		}
		m.box(string(head[4:8]), body, min(at+size, end), depth)
		at += size
	}
}

func (m *mp4Reader) box(name string, at, end int64, depth int) {
	switch name {
	case "moov", "trak", "mvex":
		if depth < 4 {
			m.walk(at, end, depth+1)
		}
		return
	case "mvhd", "tkhd", "mehd":
	default:
		return
	}
	b := make([]byte, min(max(end-at, 0), maxHead))
	if readAt(m.r, at, b) < len(b) || len(b) == 0 {
		return
	}
	wide := b[0] == 1 // times of 64 bits
	switch {
	case name == "mvhd" && wide && len(b) >= 32:
		m.scale, m.ticks = uint64(binary.BigEndian.Uint32(b[20:])), binary.BigEndian.Uint64(b[24:])
	case name == "mvhd" && !wide && len(b) >= 20:
		m.scale, m.ticks = uint64(binary.BigEndian.Uint32(b[12:])), uint64(binary.BigEndian.Uint32(b[16:]))
	case name == "mehd" && m.ticks == 0 && wide && len(b) >= 12: // fragments follow, and the header has no duration
		m.ticks = binary.BigEndian.Uint64(b[4:])
	case name == "mehd" && m.ticks == 0 && !wide && len(b) >= 8:
		m.ticks = uint64(binary.BigEndian.Uint32(b[4:]))
	case name == "tkhd":
		m.track(b, wide)
	}
}

// track takes the size of the first track that has one, turned if its matrix exchanges the axes.
func (m *mp4Reader) track(b []byte, wide bool) {
	matrix := 40
	if wide {
		matrix = 52
	}
	if len(b) < matrix+44 || m.facts.Width > 0 {
		return
	}
	w, h := int(binary.BigEndian.Uint16(b[matrix+36:])), int(binary.BigEndian.Uint16(b[matrix+40:]))
	if w == 0 || h == 0 {
		return
	}
	if binary.BigEndian.Uint32(b[matrix:]) == 0 && binary.BigEndian.Uint32(b[matrix+4:]) != 0 {
		w, h = h, w
	}
	m.facts.Width, m.facts.Height = w, h
}
