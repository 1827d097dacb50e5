package mediainfo

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// longest bounds a duration that is believed.
const longest = 48 * time.Hour

// recording reads how long audio or video lasts, and how large its picture is.
func recording(mediaType string, size int64, r io.ReadSeeker) (f Facts) {
	switch mediaType {
	case "audio/mp4", "video/mp4", "video/quicktime", "audio/3gpp", "video/3gpp", "audio/3gpp2", "video/3gpp2":
		f = mp4(r, size)
	case "audio/mpeg":
		f.Duration = mp3(r, size)
	case "audio/ogg":
		f.Duration = ogg(r, size)
	case "audio/wav":
		f.Duration = wav(r)
	case "audio/amr":
		f.Duration = amr(r)
	}
	if f.Duration < 0 || f.Duration > longest {
		f.Duration = 0
	}
	return f
}

// units is how long n units last, of which a second has rate.
func units(n, rate uint64) time.Duration {
	if rate == 0 || n/rate > uint64(longest/time.Second) {
		return 0
	}
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}

// mp3 reads the number of frames from the header of a variable rate (Xing, Info or VBRI), and counts them where there is none.
func mp3(r io.ReadSeeker, size int64) time.Duration {
	begin := id3(r)
	if _, err := r.Seek(begin, io.SeekStart); err != nil {
		return 0
	}
	in := bufio.NewReaderSize(r, 4096)
	f, ok := firstFrame(in)
	if !ok {
		return 0
	}
	head, _ := in.Peek(512)
	if n := variable(head, f); n > 0 {
		return units(n*f.samples, f.rate)
	}
	if left := size - begin; left > maxCounted { // a long file of a constant rate is not read whole
		return units(uint64(left)/f.size*f.samples, f.rate)
	}
	samples := uint64(0)
	for ok {
		samples += f.samples
		if _, err := in.Discard(int(f.size)); err != nil {
			break
		}
		if head, _ = in.Peek(4); len(head) < 4 {
			break
		}
		var next frame
		if next, ok = mp3Frame(head); ok { // what stands behind the frames is no frame
			f = next
		}
	}
	return units(samples, f.rate)
}

const (
	maxCounted = 8 << 20  // bytes of a file whose frames are counted
	maxBefore  = 64 << 10 // bytes that may stand before the first frame
)

// firstFrame skips what stands before the first frame.
func firstFrame(in *bufio.Reader) (frame, bool) {
	for range maxBefore {
		head, err := in.Peek(4)
		if err != nil {
			break
		}
		if f, ok := mp3Frame(head); ok {
			return f, true
		}
		_, _ = in.Discard(1) // there are four
	}
	return frame{}, false
}

// id3 is the length of the tag (ID3v2) before the frames.
func id3(r io.ReadSeeker) int64 {
	b := make([]byte, 10)
	if readAt(r, 0, b) < 10 || string(b[:3]) != "ID3" {
		return 0
	}
	return 10 + int64(b[6]&0x7f)<<21 + int64(b[7]&0x7f)<<14 + int64(b[8]&0x7f)<<7 + int64(b[9]&0x7f)
}

type frame struct {
	size, samples, rate uint64
	side                int // bytes of side information behind the header
}

var (
	mp3Rates  = [3]uint64{44100, 48000, 32000}
	mp3Bits1  = [16]uint64{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0} // kbit/s, version 1, layer III
	mp3Bits2  = [16]uint64{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}     // versions 2 and 2.5
	xingMarks = [][]byte{[]byte("Xing"), []byte("Info")}
)

// mp3Frame reads a header of layer III (ISO/IEC 11172-3).
func mp3Frame(b []byte) (f frame, ok bool) {
	version, layer, bits, rate := b[1]>>3&3, b[1]>>1&3, b[2]>>4, b[2]>>2&3
	if b[0] != 0xff || b[1]&0xe0 != 0xe0 || version == 1 || layer != 1 || rate == 3 || bits == 0 || bits == 15 {
		return f, false
	}
	mono := b[3]>>6 == 3
	f = frame{samples: 1152, rate: mp3Rates[rate], side: 32}
	kbit := mp3Bits1[bits]
	if mono {
		f.side = 17
	}
	if version != 3 {
		f.samples, f.rate, f.side, kbit = 576, f.rate/2, 17, mp3Bits2[bits]
		if mono {
			f.side = 9
		}
		if version == 0 {
			f.rate /= 2
		}
	}
	f.size = f.samples/8*kbit*1000/f.rate + uint64(b[2]>>1&1)
	return f, true
}

// variable is the number of frames that the header of a variable rate in the first frame names.
func variable(b []byte, f frame) uint64 {
	for _, mark := range xingMarks {
		if at := 4 + f.side; at+12 <= len(b) && bytes.HasPrefix(b[at:], mark) && b[at+7]&1 == 1 {
			return uint64(binary.BigEndian.Uint32(b[at+8:]))
		}
	}
	if len(b) >= 54 && bytes.HasPrefix(b[36:], []byte("VBRI")) {
		return uint64(binary.BigEndian.Uint32(b[50:]))
	}
	return 0
}

// ogg takes the position of the last page, in samples (RFC 3533 §6; Opus: RFC 7845 §4, always of 48 kHz).
func ogg(r io.ReadSeeker, size int64) time.Duration {
	head := make([]byte, 512)
	head = head[:max(readAt(r, 0, head), 0)]
	rate, skip := uint64(0), uint64(0)
	if at := bytes.Index(head, []byte("OpusHead")); at >= 0 && at+12 <= len(head) {
		rate, skip = 48000, uint64(binary.LittleEndian.Uint16(head[at+10:]))
	} else if at := bytes.Index(head, []byte("\x01vorbis")); at >= 0 && at+16 <= len(head) {
		rate = uint64(binary.LittleEndian.Uint32(head[at+12:]))
	} else if at := bytes.Index(head, []byte("Speex   ")); at >= 0 && at+40 <= len(head) {
		rate = uint64(binary.LittleEndian.Uint32(head[at+36:]))
	}
	const page = 64 << 10 // a page is a little shorter
	tail := make([]byte, min(size, 2*page))
	tail = tail[:max(readAt(r, size-int64(len(tail)), tail), 0)]
	for end := len(tail); ; {
		at := bytes.LastIndex(tail[:end], []byte("OggS\x00"))
		if at < 0 {
			return 0
		}
		if at+14 <= len(tail) {
			if position := binary.LittleEndian.Uint64(tail[at+6:]); position != 1<<64-1 { // of a page on which no packet ends
				return units(max(position, skip)-skip, rate)
			}
		}
		end = at
	}
}

// wav divides the length of its data by the bytes of a second.
func wav(r io.ReadSeeker) time.Duration {
	b, second := make([]byte, 16), uint64(0)
	for at := int64(12); readAt(r, at, b[:8]) == 8; {
		name, n := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:8]))
		switch {
		case name == "fmt " && readAt(r, at+8, b) == 16:
			second = uint64(binary.LittleEndian.Uint32(b[8:]))
		case name == "data":
			return units(uint64(n), second)
		}
		at += 8 + n + n&1
	}
	return 0
}

// amrSizes are the bytes of a frame behind its first, by frame type (RFC 4867 §5.3).
var amrSizes = [16]int{12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0}

// amr counts frames of 20 ms.
func amr(r io.ReadSeeker) time.Duration {
	if !rewind(r) {
		return 0
	}
	in := bufio.NewReader(r)
	if n, err := in.Discard(len("#!AMR\n")); err != nil || n == 0 {
		return 0
	}
	frames := uint64(0)
	for {
		toc, err := in.ReadByte()
		if err != nil {
			return units(frames, 50)
		}
		if _, err := in.Discard(amrSizes[toc>>3&15]); err != nil {
			return units(frames, 50)
		}
		frames++
	}
}

// readAt fills b from a place of r, and returns how much there was.
func readAt(r io.ReadSeeker, at int64, b []byte) int {
	if _, err := r.Seek(at, io.SeekStart); err != nil || at < 0 {
		return 0
	}
	n, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	return n
}
