package mediainfo

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
)

// halves is a picture whose left half is red and whose right half is blue.
func halves(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func encoded(t *testing.T, f func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// exif is a JPEG with an orientation, in one of the two byte orders.
func exif(plain []byte, turn uint16, order binary.AppendByteOrder, mark string) []byte {
	b := append([]byte("Exif\x00\x00"+mark), order.AppendUint16(nil, 42)...)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, turn)
	b = append(b, 0, 0, 0, 0, 0, 0)
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(b)+2))...)
	return append(append(head, b...), plain[2:]...)
}

func facts(mime string, b []byte) Facts {
	return Of(context.Background(), mime, int64(len(b)), bytes.NewReader(b))
}

func preview(t *testing.T, name string, f Facts) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(f.Preview))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return image.NewRGBA(image.Rect(0, 0, 1, 1))
	}
	if max(img.Bounds().Dx(), img.Bounds().Dy()) > Side {
		t.Errorf("%s: the preview has %v", name, img.Bounds())
	}
	return img
}

func TestPicturesHaveASizeAndAPreview(t *testing.T) {
	t.Parallel()
	wide := halves(960, 480)
	for name, c := range map[string]struct {
		mime       string
		b          []byte
		w, h       int
		pw, ph     int
		noPreviews bool
	}{
		"jpeg":                       {"image/jpeg", encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, wide, nil) }), 960, 480, 240, 120, false},
		"png":                        {"image/png", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, wide) }), 960, 480, 240, 120, false},
		"gif":                        {"image/gif", encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, wide, nil) }), 960, 480, 240, 120, false},
		"bmp":                        {"image/bmp", encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, wide) }), 960, 480, 240, 120, false},
		"small":                      {"image/png", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, halves(20, 10)) }), 20, 10, 20, 10, false},
		"thin":                       {"image/png", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, halves(2000, 1)) }), 2000, 1, 240, 1, false},
		"another type than declared": {"image/jpeg", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, wide) }), 960, 480, 240, 120, false},
		"too large to decode":        {"image/png", hugePNG(50_000, 50_000), 50_000, 50_000, 0, 0, true},
		"cut off":                    {"image/png", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, wide) })[:60], 960, 480, 0, 0, true},
		"no picture":                 {"image/png", []byte("<html>"), 0, 0, 0, 0, true},
		"nothing":                    {"image/png", nil, 0, 0, 0, 0, true},
		"a document":                 {"application/pdf", []byte("%PDF-1.4"), 0, 0, 0, 0, true},
	} {
		f := facts(c.mime, c.b)
		if f.Width != c.w || f.Height != c.h || (f.Preview == nil) != c.noPreviews {
			t.Errorf("%s: %d × %d, %d bytes of preview", name, f.Width, f.Height, len(f.Preview))
		}
		if f.Preview != nil {
			if got := preview(t, name, f).Bounds(); got.Dx() != c.pw || got.Dy() != c.ph {
				t.Errorf("%s: the preview has %v", name, got)
			}
		}
	}
}

// hugePNG is a PNG whose header announces a size.
func hugePNG(w, h uint32) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, halves(1, 1))
	out := b.Bytes()
	binary.BigEndian.PutUint32(out[16:], w)
	binary.BigEndian.PutUint32(out[20:], h)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

func TestPicturesAreTurned(t *testing.T) {
	t.Parallel()
	plain := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, halves(400, 200), nil) })
	reddish := func(c color.Color) bool { r, _, b, _ := c.RGBA(); return r > b }
	for turn, red := range map[uint16][2]int{1: {10, 60}, 2: {230, 60}, 3: {230, 60}, 4: {10, 60}, 5: {60, 10}, 6: {60, 10}, 7: {60, 230}, 8: {60, 230}} {
		for mark, order := range map[string]binary.AppendByteOrder{"II": binary.LittleEndian, "MM": binary.BigEndian} {
			f := facts("image/jpeg", exif(plain, turn, order, mark))
			img := preview(t, mark, f)
			w, h := 400, 200
			if turn >= 5 {
				w, h = h, w
			}
			opposite := img.At(img.Bounds().Dx()-1-red[0], img.Bounds().Dy()-1-red[1])
			if f.Width != w || f.Height != h || !reddish(img.At(red[0], red[1])) || reddish(opposite) {
				t.Errorf("orientation %d (%s): %d × %d", turn, mark, f.Width, f.Height)
			}
			if bytes.Contains(f.Preview, []byte("Exif")) {
				t.Error("the preview has the metadata of the picture")
			}
		}
	}
}

func box(name string, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(all)+8)), name...), all...)
}

func mvhd(scale, ticks uint32) []byte {
	b := make([]byte, 100)
	binary.BigEndian.PutUint32(b[12:], scale)
	binary.BigEndian.PutUint32(b[16:], ticks)
	return box("mvhd", b)
}

func tkhd(w, h uint16, turned bool) []byte {
	b := make([]byte, 84)
	binary.BigEndian.PutUint16(b[76:], w)
	binary.BigEndian.PutUint16(b[80:], h)
	at := 40
	if turned {
		at = 44
	}
	binary.BigEndian.PutUint32(b[at:], 0x10000)
	return box("tkhd", b)
}

func mvhdWide(scale uint32, ticks uint64) []byte {
	b := make([]byte, 112)
	b[0] = 1
	binary.BigEndian.PutUint32(b[20:], scale)
	binary.BigEndian.PutUint64(b[24:], ticks)
	return box("mvhd", b)
}

var ftyp = box("ftyp", []byte("isom\x00\x00\x02\x00isomiso2mp41"))

// mp3Frames are frames of 128 kbit/s, 44.1 kHz, stereo: 417 bytes, 1152 samples.
func mp3Frames(n int) []byte {
	return bytes.Repeat(append([]byte{0xff, 0xfb, 0x90, 0x00}, make([]byte, 413)...), n)
}

func xing(frames uint32) []byte {
	b := mp3Frames(1)
	copy(b[36:], "Xing\x00\x00\x00\x01")
	binary.BigEndian.PutUint32(b[44:], frames)
	return b
}

func oggPage(position uint64, body string) []byte {
	b := append([]byte("OggS\x00\x00"), binary.LittleEndian.AppendUint64(nil, position)...)
	b = append(b, make([]byte, 12)...)
	return append(append(b, 1, byte(len(body))), body...)
}

func TestRecordingsHaveADuration(t *testing.T) {
	t.Parallel()
	opus := oggPage(0, "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	wave := "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x80\x3e\x00\x00"
	moved := append(bytes.Clone(ftyp), box("mdat", make([]byte, 5000))...)
	for name, c := range map[string]struct {
		mime string
		b    []byte
		ms   int64
		w, h int
	}{
		"mp4":                     {"video/mp4", append(moved, box("moov", mvhd(1000, 2500), box("trak", tkhd(0, 0, false)), box("trak", tkhd(640, 360, false)))...), 2500, 640, 360},
		"mp4 turned":              {"video/mp4", append(bytes.Clone(ftyp), box("moov", mvhd(600, 600), box("trak", tkhd(1280, 720, true)))...), 1000, 720, 1280},
		"mp4 with long times":     {"video/quicktime", append(bytes.Clone(ftyp), box("moov", mvhdWide(90000, 180000))...), 2000, 0, 0},
		"m4a":                     {"audio/mp4", append(bytes.Clone(ftyp), box("moov", mvhd(44100, 44100*61), box("trak", tkhd(300, 300, false)))...), 61_000, 0, 0},
		"fragments":               {"audio/mp4", append(bytes.Clone(ftyp), box("moov", mvhd(1000, 0), box("mvex", box("mehd", []byte{0, 0, 0, 0, 0, 0, 0x10, 0x68})))...), 4200, 0, 0},
		"mp4 without a scale":     {"video/mp4", append(bytes.Clone(ftyp), box("moov", mvhd(0, 2500))...), 0, 0, 0},
		"mp4 that lasts for ever": {"video/mp4", append(bytes.Clone(ftyp), box("moov", mvhd(1, 1<<32-1))...), 0, 0, 0},
		"mp4 of a box of no size": {"video/mp4", append(bytes.Clone(ftyp), 0, 0, 0, 4, 'm', 'o', 'o', 'v'), 0, 0, 0},
		"mp4 nested without end":  {"video/mp4", bytes.Repeat([]byte("\x00\x01\x00\x00moov"), 5000), 0, 0, 0},
		"mp3 counted":             {"audio/mpeg", mp3Frames(100), 2612, 0, 0},
		"mp3 behind a tag":        {"audio/mpeg", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x05abcde"), mp3Frames(100)...), 2612, 0, 0},
		"mp3 before a tag":        {"audio/mpeg", append(mp3Frames(100), []byte("TAG"+strings.Repeat("x", 125))...), 2612, 0, 0},
		"mp3 of a variable rate":  {"audio/mpeg", append(xing(1000), mp3Frames(10)...), 26122, 0, 0},
		"mp3 without a frame":     {"audio/mpeg", bytes.Repeat([]byte{0xff}, 200_000), 0, 0, 0},
		"opus":                    {"audio/ogg", append(append(opus, oggPage(1<<64-1, "x")...), oggPage(48000*3+312, "x")...), 3000, 0, 0},
		"ogg of nothing":          {"audio/ogg", []byte("OggS\x00"), 0, 0, 0},
		"wav":                     {"audio/wav", []byte(wave), 2000, 0, 0},
		"amr":                     {"audio/amr", append([]byte("#!AMR\n"), bytes.Repeat(append([]byte{0x3c}, make([]byte, 31)...), 150)...), 3000, 0, 0},
		"nothing at all":          {"audio/mpeg", nil, 0, 0, 0},
	} {
		f := facts(c.mime, c.b)
		if f.Duration.Milliseconds() != c.ms || f.Width != c.w || f.Height != c.h {
			t.Errorf("%s: %s, %d × %d", name, f.Duration, f.Width, f.Height)
		}
		if isVideo := strings.HasPrefix(c.mime, "video/"); isVideo != (f.Preview != nil) {
			t.Errorf("%s: %d bytes of preview", name, len(f.Preview))
		} else if isVideo {
			img := preview(t, name, f).Bounds()
			if c.w > 0 && (img.Dx() > img.Dy()) != (c.w > c.h) {
				t.Errorf("%s: the poster has %v", name, img)
			}
		}
	}
}

func TestAStoppedProcessDecodesNothing(t *testing.T) {
	t.Parallel()
	for range atOnce {
		decoding <- struct{}{}
	}
	defer func() {
		for range atOnce {
			<-decoding
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	b := encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, halves(20, 10)) })
	if f := Of(ctx, "image/png", int64(len(b)), bytes.NewReader(b)); f.Width != 0 {
		t.Errorf("%+v", f)
	}
}

func FuzzOf(f *testing.F) {
	for _, mime := range []string{"image/jpeg", "video/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/amr"} {
		for _, seed := range [][]byte{ftyp, mp3Frames(3), xing(3), oggPage(5, "OpusHead"), hugePNG(9, 9)} {
			f.Add(mime, seed)
		}
	}
	f.Fuzz(func(t *testing.T, mime string, b []byte) {
		got := facts(mime, b)
		if got.Width < 0 || got.Height < 0 || got.Duration < 0 || got.Duration > longest {
			t.Errorf("%+v", got)
		}
	})
}
