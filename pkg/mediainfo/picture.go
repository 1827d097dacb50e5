package mediainfo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	_ "image/gif" // decoders register themselves
	"image/jpeg"
	_ "image/png"
	"io"

	_ "golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

const (
	maxPixels = 40_000_000 // of a picture that is decoded; some 160 MB of memory
	maxSides  = 65_500     // of a picture whose size is believed
	maxExif   = 64 << 10   // bytes at the beginning of a JPEG that are searched for its orientation
	quality   = 80
)

// picture reads the size from the header before anything is decoded.
func picture(r io.ReadSeeker) Facts {
	cfg, format, err := image.DecodeConfig(r)
	if err != nil || cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxSides || cfg.Height > maxSides {
		return Facts{}
	}
	turn := 1
	if format == "jpeg" && rewind(r) {
		head, _ := io.ReadAll(io.LimitReader(r, maxExif))
		turn = orientation(head)
	}
	f := Facts{Width: cfg.Width, Height: cfg.Height}
	if turn >= 5 {
		f.Width, f.Height = f.Height, f.Width
	}
	if cfg.Width*cfg.Height > maxPixels || !rewind(r) {
		return f
	}
	img, _, err := image.Decode(r)
	if err != nil {
		return f
	}
	f.Preview = encode(oriented(shrink(img), turn))
	return f
}

func rewind(r io.Seeker) bool {
	_, err := r.Seek(0, io.SeekStart)
	return err == nil
}

// shrink scales a picture down to the sides of a preview, on white where it is transparent.
func shrink(img image.Image) *image.RGBA {
	w, h := fit(img.Bounds().Dx(), img.Bounds().Dy())
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Over, nil)
	return out
}

// fit returns the size of a preview of a picture: its proportions, never larger than it is.
func fit(w, h int) (int, int) {
	if longest := max(w, h); longest > Side {
		w, h = w*Side/longest, h*Side/longest
	}
	return max(w, 1), max(h, 1)
}

// oriented turns and mirrors a picture as an EXIF orientation (1 to 8) says.
func oriented(in *image.RGBA, turn int) *image.RGBA {
	w, h := in.Bounds().Dx(), in.Bounds().Dy()
	from := map[int]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
	}[turn]
	if from == nil {
		return in
	}
	size := image.Rect(0, 0, w, h)
	if turn >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			fx, fy := from(x, y)
			out.SetRGBA(x, y, in.RGBAAt(fx, fy))
		}
	}
	return out
}

func encode(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil
	}
	return b.Bytes()
}

// orientation returns the EXIF orientation (TIFF tag 0x0112) of a JPEG, of which it sees the beginning; 1 if it has none.
func orientation(head []byte) int {
	for at := 2; at+4 <= len(head) && head[at] == 0xff; {
		marker, n := head[at+1], int(binary.BigEndian.Uint16(head[at+2:]))
		if n < 2 || marker == 0xda { // the picture begins
			break
		}
		body := head[min(at+4, len(head)):min(at+2+n, len(head))]
		if exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return tiffOrientation(exif)
		}
		at += 2 + n
	}
	return 1
}

func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	order := binary.ByteOrder(binary.BigEndian)
	if string(b[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return 1
	}
	for entry := range int(order.Uint16(b[at:])) {
		e := at + 2 + 12*entry
		if e+12 > len(b) {
			break
		}
		if v := int(order.Uint16(b[e+8:])); order.Uint16(b[e:]) == 0x0112 && v >= 1 && v <= 8 {
			return v
		}
	}
	return 1
}

// poster is the preview of a video: a field of its proportions with the sign for playing.
func poster(w, h int) []byte {
	if w <= 0 || h <= 0 {
		w, h = 16, 9
	}
	scale := max(w, h)
	w, h = max(w*Side/scale, 1), max(h*Side/scale, 1)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{Y: 0x38}), image.Point{}, draw.Src)
	half := min(w, h) / 5
	for y := -half; y <= half; y++ {
		for x := -half; x <= half; x++ {
			if 2*max(y, -y) <= half-x { // a triangle that points to the right
				img.Set(w/2+x, h/2+y, color.Gray{Y: 0xe8})
			}
		}
	}
	return encode(img)
}
