package media

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"sync"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
)

// MaxSize is the largest file that is made up or passed in, in bytes.
const MaxSize = 64 << 20

type sample struct {
	mime, name string
	data       func() []byte
}

// samples are small files that begin like real ones, so that whoever looks at the bytes finds the announced type.
var samples = map[string]sample{
	"image":    {"image/jpeg", "photo.jpg", sync.OnceValue(picture)},
	"audio":    {"audio/ogg", "audio.ogg", func() []byte { return ogg }},
	"video":    {"video/mp4", "video.mp4", func() []byte { return mp4 }},
	"document": {"application/pdf", "document.pdf", func() []byte { return pdf }},
	"sticker":  {"image/webp", "sticker.webp", func() []byte { return webp }},
}

var (
	ogg  = append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00"), make([]byte, 64)...)
	mp4  = append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08free"), make([]byte, 64)...)
	webp = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	pdf  = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
)

// picture is a small image, of another colour in every process.
func picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	r, g, b := uint8(rand.N(256)), uint8(rand.N(256)), uint8(rand.N(256)) //nolint:gosec // below 256
	for y := range 48 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{r ^ uint8(x*4), g, b ^ uint8(y*5), 255}) //nolint:gosec // below 256
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		panic(fmt.Sprintf("media: %v", err)) // a buffer takes everything
	}
	return out.Bytes()
}

// Of makes the file that an action describes, or makes one up.
func Of(a *account.Account, act *account.Action) (*File, error) {
	s := samples[act.Kind]
	f := &File{Of: a, Kind: act.Kind, MIME: s.mime, Name: s.name}
	m := act.Media
	if m == nil {
		m = &account.Media{}
	}
	if m.MIME != "" {
		f.MIME = m.MIME
	}
	if m.Name != "" {
		f.Name = m.Name
	}
	if m.Size < 0 || m.Size > MaxSize {
		return nil, fault.At("/media/size", "out_of_range", "want 0 to %d bytes", MaxSize)
	}
	if f.Data = m.Data; len(f.Data) == 0 {
		f.Data = s.data()
	}
	if m.Size > len(f.Data) {
		f.Data = append(bytes.Clone(f.Data), make([]byte, m.Size-len(f.Data))...)
	}
	return f, nil
}
