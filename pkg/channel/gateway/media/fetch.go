package media

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/mediainfo"
)

const (
	maxSteps = 4       // requests that lead to one file
	peek     = 1 << 20 // bytes of an answer that the adapter sees
)

// fetch brings a file into the blob store and returns the attachment as it is then. With an error it is as it was, or has bytes that
// are not what the provider announced.
func (w *Worker) fetch(ctx context.Context, f *File) (event.Attachment, *fault.Error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timing.Fetch)
	defer cancel()
	a := f.Wanted.Attachment
	ch, err := w.Channels.Channel(ctx, f.Wanted.ChannelID)
	if fault.Is(err, fault.Gone) || err == nil && ch.Tenant != f.Tenant {
		return a, fault.New(fault.Gone, "channel_gone", "the channel is not there any more")
	}
	if err != nil {
		return a, fault.Of(err)
	}
	f.version = ch.Version
	body, err := w.open(ctx, ch, a, account(f.Host))
	if err != nil {
		return a, sure(provider.Redact(ch, err))
	}
	defer func() { _ = body.Close() }()
	if a, err = w.keep(ctx, ch, f, body); err != nil {
		return a, sure(provider.Redact(ch, err))
	}
	return a, nil
}

// last returns what becomes of a file if a try was its last one. Bytes of another digest are better than none.
func (w *Worker) last(f *File, a event.Attachment, fe *fault.Error) (event.Attachment, bool) {
	switch {
	case fe == nil:
		return a, true
	case !w.hopeless(f, fe):
		return a, false
	case a.Blob != "":
		return a, true
	}
	return lost(f, fe), true
}

// sure makes an unknown outcome one that may be repeated: a fetch changes nothing.
func sure(err error) *fault.Error {
	fe := *fault.Of(err)
	if fe.Kind == fault.Unknown || errors.Is(err, context.DeadlineExceeded) {
		fe.Kind = fault.Unavailable
	}
	return &fe
}

// open returns the bytes of an attachment, step by step where the type says how.
func (w *Worker) open(ctx context.Context, ch channel.Keyed, a event.Attachment, account string) (io.ReadCloser, error) {
	fetcher := w.Adapter.MediaFetcher
	if fetcher == nil || a.MediaRef == "" && a.URL != "" {
		return w.plain(ctx, ch, a, account)
	}
	var prev *channel.Response
	var body io.ReadCloser
	for range maxSteps {
		req, done, err := fetcher.MediaRequest(ch.Channel, a, prev)
		if done || err != nil {
			if err == nil && body == nil {
				err = fault.New(fault.Invalid, "no_media", "the adapter says that nothing is the file")
			}
			if err != nil {
				shut(body)
				return nil, err
			}
			return body, nil
		}
		shut(body)
		d, err := w.Caller.Fetch(ctx, ch, req, account, w.maxSize(ch.Channel))
		if err != nil {
			return nil, err
		}
		if prev, body, err = answer(d, req.Tag); err != nil {
			return nil, err
		}
	}
	shut(body)
	return nil, fault.New(fault.Internal, "endless", "more than %d calls for one file", maxSteps)
}

// answer shows the beginning of an answer to the adapter, and keeps all of it, because it may be the file.
func answer(d *egress.Download, tag string) (*channel.Response, io.ReadCloser, error) {
	head, err := io.ReadAll(io.LimitReader(d.Body, peek))
	if err != nil {
		shut(d.Body)
		return nil, nil, err
	}
	whole := struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), d.Body), d.Body}
	return &channel.Response{Status: d.Status, Header: d.Header, Body: head, Tag: tag}, whole, nil
}

// plain fetches from a URL that came with the message.
func (w *Worker) plain(ctx context.Context, ch channel.Keyed, a event.Attachment, account string) (io.ReadCloser, error) {
	d, err := w.Caller.Fetch(ctx, ch, channel.Request{Method: http.MethodGet, URL: a.URL, Safe: true}, account, w.maxSize(ch.Channel))
	if err != nil {
		return nil, err
	}
	if d.Status == http.StatusOK {
		return d.Body, nil
	}
	shut(d.Body)
	return nil, refused(d.Status)
}

func refused(status int) error {
	kind, code := fault.Unavailable, channel.CodeUnavailable
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		kind, code = fault.Gone, channel.CodeMediaGone
	case status == http.StatusTooManyRequests:
		kind, code = fault.Throttled, channel.CodeRateLimited
	case status == http.StatusUnauthorized:
		kind, code = fault.Denied, channel.CodeCredentials
	case status == http.StatusForbidden:
		kind, code = fault.Denied, channel.CodePermission
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooEarly:
		kind, code = fault.Invalid, channel.CodeMediaRejected
	}
	return fault.New(kind, code, "the file came with status %d", status)
}

// maxMismatches is how many tries may bring bytes of another digest than was announced; what the last one brought is kept.
const maxMismatches = 3

// keep stores what was fetched, with what the bytes themselves say.
func (w *Worker) keep(ctx context.Context, ch channel.Keyed, f *File, r io.Reader) (event.Attachment, error) {
	a := f.Wanted.Attachment
	announced := channel.SHA256Hex(a.SHA256)
	if err := mediainfo.Store(ctx, w.Blobs, ch.Tenant, &a, r, w.maxSize(ch.Channel)); err != nil {
		return f.Wanted.Attachment, err
	}
	if a.Size == 0 {
		return f.Wanted.Attachment, fault.New(fault.Unavailable, "media_empty", "the file came empty")
	}
	if announced != "" && announced != a.SHA256 {
		differs := fault.New(fault.Unavailable, "media_digest_mismatch", "the file has another SHA-256 digest than the provider announced")
		a.Warning = differs.Shown()
		a.Warning.Retryable = false
		if f.Mismatches++; f.Mismatches < maxMismatches {
			return a, differs
		}
	}
	return a, nil
}

// maxSize is how many bytes a file of a channel may have.
func (w *Worker) maxSize(ch channel.Channel) int64 {
	return cmp.Or(w.info.For(ch.Settings).MaxMedia, maxSize)
}

func shut(c io.Closer) {
	if c != nil {
		_ = c.Close() // only read from
	}
}

// account names a host's breaker.
func account(host string) string { return fmt.Sprintf("media %s", host) }
