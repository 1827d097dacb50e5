package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// HTTP is the transport for http and https URLs.
type HTTP struct {
	Client *egress.Client
	Blobs  *blob.Store
}

// Do implements Transport. The client's own breakers stay out of it: a channel has one breaker, whatever its transport.
func (t *HTTP) Do(ctx context.Context, ch channel.Keyed, req channel.Request) (channel.Response, error) {
	r, err := t.request(ctx, ch.Tenant, req)
	if err != nil {
		return channel.Response{}, err
	}
	resp, err := t.Client.Do(ctx, egress.Call{Request: r, Timeout: left(ctx)})
	if err != nil {
		return channel.Response{}, err
	}
	return channel.Response{Status: resp.Status, Header: resp.Header, Body: resp.Body}, nil
}

// left is how long ctx still lasts; zero if it sets no limit.
func left(ctx context.Context) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(end), time.Millisecond)
}

// request makes an HTTP request, with files of the tenant; an error means that nothing was sent.
func (t *HTTP) request(ctx context.Context, tenant string, req channel.Request) (*http.Request, error) {
	body, size, kind, err := t.body(ctx, tenant, req)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, req.Method, req.URL, body)
	if err != nil {
		_ = body.Close()
		return nil, fault.New(fault.Invalid, "bad_url", "the channel's settings make no valid URL")
	}
	if size == 0 {
		r.Body = http.NoBody
	}
	r.ContentLength = size
	for k, vs := range req.Header {
		r.Header[http.CanonicalHeaderKey(k)] = vs
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if len(req.Form) == 0 && req.File == nil { // for a pooled connection that was closed before a byte was written
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.Body)), nil }
	}
	return r, nil
}

// body is what the request carries, its length, and its type where that is ours to say.
func (t *HTTP) body(ctx context.Context, tenant string, req channel.Request) (io.ReadCloser, int64, string, error) {
	if req.File != nil {
		r, size, err := t.piece(ctx, tenant, *req.File)
		if err != nil {
			return nil, 0, "", fmt.Errorf("attachment: %w", err)
		}
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, size), r}, size, req.File.MIME, nil
	}
	if len(req.Form) == 0 {
		return io.NopCloser(bytes.NewReader(req.Body)), int64(len(req.Body)), "", nil
	}
	f := &form{}
	w := multipart.NewWriter(&f.head)
	for _, p := range req.Form {
		if err := t.part(ctx, tenant, f, w, p); err != nil {
			_ = f.Close()
			return nil, 0, "", err
		}
	}
	_ = w.Close() // into memory
	f.cut()
	f.Reader = io.MultiReader(f.parts...)
	return f, f.size, w.FormDataContentType(), nil
}

// form is a multipart body whose files are read while it is sent. Its length is known before.
type form struct {
	io.Reader
	head  bytes.Buffer // what lies between the files
	parts []io.Reader
	files []io.Closer
	size  int64
}

// cut ends the text before a file.
func (f *form) cut() {
	b := bytes.Clone(f.head.Bytes())
	f.head.Reset()
	f.parts = append(f.parts, bytes.NewReader(b))
	f.size += int64(len(b))
}

// Close implements io.Closer.
func (f *form) Close() error {
	for _, c := range f.files {
		_ = c.Close() // only read from
	}
	return nil
}

func (t *HTTP) part(ctx context.Context, tenant string, f *form, w *multipart.Writer, p channel.Part) error {
	h := textproto.MIMEHeader{}
	disposition := `form-data; name="` + quote(p.Name) + `"`
	if p.File != "" || p.Blob != "" {
		disposition += `; filename="` + quote(p.File) + `"`
	}
	h.Set("Content-Disposition", disposition)
	if p.MIME != "" {
		h.Set("Content-Type", p.MIME)
	}
	if _, err := w.CreatePart(h); err != nil {
		return fault.New(fault.Internal, "form", "%v", err)
	}
	if p.Blob == "" {
		f.head.WriteString(p.Value)
		return nil
	}
	r, size, err := t.piece(ctx, tenant, p)
	if err != nil {
		return fmt.Errorf("attachment: %w", err)
	}
	f.cut()
	f.parts, f.files, f.size = append(f.parts, io.LimitReader(r, size)), append(f.files, r), f.size+size
	return nil
}

// piece opens a file where the part begins, and returns how many bytes of it belong to the part.
func (t *HTTP) piece(ctx context.Context, tenant string, p channel.Part) (io.ReadCloser, int64, error) {
	r, attrs, err := t.Blobs.Open(ctx, tenant, p.Blob)
	if err != nil {
		return nil, 0, notThere(err)
	}
	size := attrs.Size - p.Offset
	if p.Offset < 0 || p.Len < 0 || size < p.Len {
		_ = r.Close() // only read from
		return nil, 0, fault.New(fault.Internal, "form", "a piece of %d bytes at %d of a file of %d bytes", p.Len, p.Offset, attrs.Size)
	}
	if p.Len > 0 {
		size = p.Len
	}
	if p.Offset > 0 {
		if _, err := r.Seek(p.Offset, io.SeekStart); err != nil {
			_ = r.Close()
			return nil, 0, notThere(err)
		}
	}
	return r, size, nil
}

// notThere classifies an error of the blob store: a file that is gone will not come back, all else is our own trouble, and
// nothing was sent.
func notThere(err error) error {
	if fault.Is(err, fault.Gone) {
		return err
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "blob_unavailable", Err: err}
}

var quoter = strings.NewReplacer("\\", "\\\\", `"`, `\"`, "\r", "", "\n", "")

func quote(s string) string { return quoter.Replace(s) }
