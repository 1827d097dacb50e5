package rest

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/budget"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/mediainfo"
	"github.com/tributaryhq/tributary/pkg/mediatype"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// MaxUpload is how many bytes an uploaded file may have.
const MaxUpload = 100 << 20

// UploadLimits are bytes of uploaded files, whose announced size counts: of a caller, of the address they come from, of a tenant.
// All are per replica.
type UploadLimits struct{ Caller, Address, Tenant budget.Rate }

// DefaultUploads are the limits of a replica.
var DefaultUploads = UploadLimits{
	Caller:  budget.Rate{N: 20 << 30, Per: 24 * time.Hour, Burst: 2 << 30},
	Address: budget.Rate{N: 100 << 30, Per: 24 * time.Hour, Burst: 10 << 30}, // many callers may share one
	Tenant:  budget.Rate{N: 100 << 30, Per: 24 * time.Hour, Burst: 10 << 30},
}

// Uploads are the budgets of uploaded bytes.
type Uploads struct{ caller, address, tenant *budget.Limits }

// NewUploads returns full budgets.
func NewUploads(l UploadLimits, now func() time.Time) *Uploads {
	return &Uploads{caller: budget.New(l.Caller, now), address: budget.New(l.Address, now), tenant: budget.New(l.Tenant, now)}
}

// take takes as many bytes as are announced, or as many as a file may have. A caller over their own limit costs others nothing.
func (u *Uploads) take(c *gin.Context, p *auth.Principal) error {
	size := c.Request.ContentLength
	if size < 0 {
		size = MaxUpload
	}
	if err := u.caller.TakeN(p.Tenant+"|"+p.ID, int(size)); err != nil {
		return err
	}
	if err := u.address.TakeN(httpapi.Source(c), int(size)); err != nil {
		return err
	}
	return u.tenant.TakeN(p.Tenant, int(size))
}

// UploadAttachment implements api.ServerInterface: multipart/form-data with the part "file".
func (s *Server) UploadAttachment(c *gin.Context) {
	do(c, http.StatusCreated, func() (any, error) {
		p, ctx := httpapi.Caller(c), c.Request.Context()
		if err := p.Require(auth.Send); err != nil {
			return nil, err
		}
		if err := s.Uploads.take(c, p); err != nil {
			return nil, err
		}
		held, _, end := httpapi.Standing(c, s.Directory, func(_ context.Context, p *auth.Principal) error { return p.Require(auth.Send) })
		defer end()
		defer httpapi.StopReading(held, c.Writer)()
		part, err := httpapi.FilePart(c.Request, "file")
		if err != nil {
			return nil, errOr(context.Cause(held), err)
		}
		key, sha, size, sniffed, err := s.Blob.Upload(ctx, p.Tenant, httpapi.Until(held, part), MaxUpload)
		if err != nil {
			return nil, errOr(context.Cause(held), httpapi.Unkept(err, MaxUpload))
		}
		name := cleanName(part.FileName())
		is := mediatype.Decide(part.Header.Get("Content-Type"), name, sniffed)
		shape, err := mediainfo.Describe(ctx, s.Blob, s.Blob.Upload, p.Tenant, key, is)
		if err != nil {
			return nil, err
		}
		f := &record.File{
			Shape:      shape,
			UploadedBy: p.ID, Type: mediatype.Kind(is), MIME: is, Name: name, Size: size, SHA256: sha, Blob: key, CreatedAt: s.at(),
		}
		f.ExpiresAt = f.CreatedAt.Add(blob.Unused)
		f.ID, f.Tenant = event.DeriveID("att", p.Tenant, p.ID, httpapi.NewNonce()), p.Tenant
		if err := s.Record.Files.Insert(ctx, f); err != nil {
			return nil, err
		}
		return attachments([]event.Attachment{{
			ID: f.ID, Type: f.Type, MIME: f.MIME, Size: f.Size, Name: f.Name, State: event.Ready, Shape: f.Shape,
		}})[0], nil
	})
}

// cleanName keeps the last element of a name and nothing that could end a header line.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < 32 || r == 127 || r == '"' {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 200 {
		name = string(r[len(r)-200:])
	}
	return name
}

// shown reports a file as not there unless it was sent in a conversation that the caller may see.
func (s *Server) shown(ctx context.Context, p *auth.Principal, f *record.File) error {
	for _, id := range f.Conversations {
		if _, err := s.conversation(ctx, p, id); !fault.Is(err, fault.Gone) {
			return err
		}
	}
	return gone("attachment", f.ID)
}

// fetchable reports a file as not there unless the caller has uploaded it or may see it in a conversation.
func (s *Server) fetchable(ctx context.Context, p *auth.Principal, f *record.File) error {
	switch {
	case f.Tenant != p.Tenant:
		return gone("attachment", f.ID)
	case f.UploadedBy == p.ID:
		return nil
	}
	return s.shown(ctx, p, f)
}

// GetAttachment implements api.ServerInterface. Files are for saving: nothing that a browser would run is shown in place.
func (s *Server) GetAttachment(c *gin.Context, id api.ID) {
	f, err := s.file(c, id)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	if f.URL != "" {
		s.elsewhere(c, f)
		return
	}
	s.download(c, f, f.Blob, f.MIME, f.Name)
}

// elsewhere leads to where the provider shows a file that nobody may keep: not through here, and not for long. The document outlives that
// until the store has swept it.
func (s *Server) elsewhere(c *gin.Context, f *record.File) {
	if !s.at().Before(f.ExpiresAt) {
		httpapi.Fail(c, gone("attachment", f.ID))
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	c.Redirect(http.StatusFound, f.URL)
}

// GetAttachmentPreview implements api.ServerInterface.
func (s *Server) GetAttachmentPreview(c *gin.Context, id api.ID) {
	f, err := s.file(c, id)
	if err == nil && f.Preview == "" {
		err = gone("preview of attachment", id)
	}
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	s.download(c, f, f.Preview, mediainfo.PreviewType, "preview.jpg")
}

// file is an attachment's that the caller may fetch; to others it is not there.
func (s *Server) file(c *gin.Context, id string) (*record.File, error) {
	f, err := s.Record.Files.Get(c.Request.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, gone("attachment", id)
	}
	if err != nil {
		return nil, err
	}
	return f, s.fetchable(c.Request.Context(), httpapi.Caller(c), f)
}

func (s *Server) download(c *gin.Context, f *record.File, key, declared, name string) {
	body, is, err := s.Blob.Open(c.Request.Context(), f.Tenant, key)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	defer body.Close() //nolint:errcheck // only read
	describe(c, declared, name, is)
	h := c.Writer.Header()
	h.Set("Content-Length", strconv.FormatInt(is.Size, 10))
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	held, _, end := httpapi.Standing(c, s.Directory, func(ctx context.Context, p *auth.Principal) error { return s.fetchable(ctx, p, f) })
	defer end()
	httpapi.Download(held, c, body)
}

// describe sets the headers that say what a file is, and what a browser may do with it.
func describe(c *gin.Context, declared, name string, is blob.Attrs) {
	kind, disposition := mediatype.Decide(declared, name, is.MIME), "attachment"
	if mediatype.Inline(kind) {
		disposition = "inline"
	}
	h := c.Writer.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}
