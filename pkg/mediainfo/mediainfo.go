// Package mediainfo says how large a picture is and how long a recording lasts, and makes small previews: what providers demand of those
// who send files by URL, and what lists of messages show. It has no codecs for video: the preview of a video is a neutral poster.
//
// Files come from strangers. A file that cannot be read, or that would take too much memory to be decoded, has no facts; that is no error.
package mediainfo

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/mediatype"
)

// Side is the longest side of a preview, in pixels.
const Side = 240

// PreviewType is the media type of every preview.
const PreviewType = "image/jpeg"

const (
	maxPreview = 1 << 20 // bytes
	atOnce     = 2       // pictures decoded at once in this process
)

// Facts are what a file shows of itself. What is not known is zero.
type Facts struct {
	Width, Height int // in pixels, as the picture is shown: turned as its metadata says
	Duration      time.Duration
	Preview       []byte // a JPEG whose sides are at most [Side]; nil if there is none
}

var decoding = make(chan struct{}, atOnce)

// Of returns the facts of a file of a media type. It ends early if ctx does.
func Of(ctx context.Context, mediaType string, size int64, r io.ReadSeeker) (f Facts) {
	defer func() {
		if recover() != nil { // a decoder met bytes that it cannot take
			f = Facts{}
		}
	}()
	is := mediatype.Canonical(mediaType)
	switch mediatype.Kind(is) {
	case event.Image:
		select {
		case decoding <- struct{}{}:
			defer func() { <-decoding }()
			return picture(r)
		case <-ctx.Done():
			return Facts{}
		}
	case event.Video:
		f = recording(is, size, r)
		f.Preview = poster(f.Width, f.Height)
	case event.Audio:
		f = recording(is, size, r)
		f.Width, f.Height = 0, 0 // of a cover
	}
	return f
}

// Put keeps a file in a blob store: [blob.Store.Put] or [blob.Store.Upload].
type Put func(ctx context.Context, tenant string, r io.Reader, maxSize int64) (key, sha string, size int64, mime string, err error)

// Store keeps a file that a message brought, at most maxSize bytes, and notes in its attachment where it is and what its bytes say of it. An
// error is one of r, of the store, or that ctx has ended.
func Store(ctx context.Context, blobs *blob.Store, tenant string, a *event.Attachment, r io.Reader, maxSize int64) error {
	key, sum, size, sniffed, err := blobs.Put(ctx, tenant, r, maxSize)
	if err != nil {
		return err
	}
	is := mediatype.Decide(a.MIME, a.Name, sniffed)
	shape, err := Describe(ctx, blobs, blobs.Put, tenant, key, is)
	if err != nil {
		return err
	}
	a.MIME, a.Type, a.Shape = is, mediatype.As(a.Type, is), shape
	a.Blob, a.SHA256, a.Size, a.State, a.Error = key, sum, size, event.Ready, nil
	return nil
}

// Describe returns what a file of a media type that is in the blob store shows of itself, and keeps its preview. An error is one of the
// store, or that ctx has ended.
func Describe(ctx context.Context, blobs *blob.Store, put Put, tenant, key, mediaType string) (event.Shape, error) {
	switch mediatype.Kind(mediatype.Canonical(mediaType)) {
	case event.Image, event.Audio, event.Video:
	default:
		return event.Shape{}, nil
	}
	content, is, err := blobs.Open(ctx, tenant, key)
	if err != nil {
		return event.Shape{}, err
	}
	f := Of(ctx, mediaType, is.Size, content)
	_ = content.Close() // only read from
	out := event.Shape{Width: f.Width, Height: f.Height, DurationMs: f.Duration.Milliseconds()}
	if f.Preview == nil || ctx.Err() != nil {
		return out, ctx.Err()
	}
	out.Preview, _, _, _, err = put(ctx, tenant, bytes.NewReader(f.Preview), maxPreview)
	return out, err
}
