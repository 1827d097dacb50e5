package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gabriel-vasile/mimetype"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/mediatype"
	"github.com/tributaryhq/tributary/pkg/store"
)

const maxFile = 20 << 20 // bytes

var fileSpec = store.Spec{Name: "webchat_files", Expires: true}

// file is one that a mailbox's visitor may fetch: their own, or one of ours.
type file struct {
	store.Meta
	Public string            `json:"file"` // its id outside
	Type   event.MessageType `json:"type"`
	MIME   string            `json:"mime"`
	Name   string            `json:"name"`
	Size   int64             `json:"size"`
	SHA256 string            `json:"sha256"`
	Blob   string            `json:"blob"`
}

func fileID(mailbox, public string) string { return event.DeriveID("fil", mailbox, public) }

func (f *file) attachment() event.Attachment {
	return event.Attachment{Type: f.Type, MIME: f.MIME, Name: f.Name, Size: f.Size, SHA256: f.SHA256, Blob: f.Blob, State: event.Ready}
}

func (f *file) shown() object {
	return object{"id": f.Public, "type": f.Type, "mime": f.MIME, "name": f.Name, "size": f.Size}
}

// uploads are the kinds of file that visitors may send: nothing that a browser would run, by what is in the file.
var uploads = []string{
	"image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif", "image/bmp", "image/tiff",
	"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/aac", "audio/amr", "audio/3gpp", "audio/flac",
	"video/mp4", "video/webm", "video/quicktime", "video/3gpp", "video/ogg",
	"application/pdf", "text/plain", "text/csv", "text/tab-separated-values", "text/rtf", "application/zip",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.presentation",
}

// upload takes multipart/form-data with the part "file" and answers with the id that a message then names.
func (s *server) upload(c *gin.Context, v session) {
	f, err := s.receive(c, v)
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	c.JSON(http.StatusCreated, object{"fileId": f.Public, "type": f.Type, "mime": f.MIME, "name": f.Name, "size": f.Size})
}

func (s *server) receive(c *gin.Context, v session) (*file, error) {
	if err := s.limit.upload(c, v, c.Request.ContentLength); err != nil {
		return nil, err
	}
	held, end := s.standing(c, v)
	defer end()
	defer httpapi.StopReading(held, c.Writer)()
	part, err := httpapi.FilePart(c.Request, "file")
	if context.Cause(held) != nil {
		return nil, context.Cause(held)
	}
	if err != nil {
		return nil, err
	}
	return s.keep(c.Request.Context(), v, part.FileName(), part.Header.Get("Content-Type"), httpapi.Until(held, part))
}

// keep looks at the beginning of a file before it keeps anything.
func (s *server) keep(ctx context.Context, v session, name, declared string, r io.Reader) (*file, error) {
	b := bufio.NewReaderSize(r, 4096)
	start, err := b.Peek(3072)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "bad_body", "the file could not be read")
	}
	is := mediatype.Decide(declared, name, mimetype.Detect(start).String())
	if kind := mediatype.Canonical(is); len(start) == 0 || !slices.Contains(uploads, kind) {
		return nil, fault.At("/file", "media_type", "a file of the type %s cannot be sent here", kind)
	}
	key, sum, size, _, err := s.Blob.Upload(ctx, v.Tenant, b, maxFile)
	if err != nil {
		return nil, httpapi.Unkept(err, maxFile)
	}
	f := &file{Public: random("att_"), Type: mediatype.Kind(is), MIME: is, Name: plainName(name), Size: size, SHA256: sum, Blob: key}
	f.ID, f.Tenant, f.ExpiresAt = fileID(v.mailbox(), f.Public), v.Tenant, event.At(s.Now()).Add(blob.Unused)
	return f, s.files.Insert(ctx, f)
}

// named are the files that a message names; all must be the visitor's.
func (s *server) named(ctx context.Context, v session, in incoming) ([]*file, error) {
	var ids []string
	for _, id := range in.files() {
		ids = append(ids, fileID(v.mailbox(), id))
	}
	fs, err := s.files.GetMany(ctx, ids)
	if err != nil {
		return nil, away(err)
	}
	for i, f := range fs {
		if f == nil {
			return nil, noFile(i)
		}
	}
	return fs, nil
}

// send keeps files for as long as the message that names them is in the mailbox, and on its way to the record.
func (s *server) send(ctx context.Context, v session, files []*file) error {
	until := event.At(s.Now()).Add(letterFor)
	for i, f := range files {
		err := s.Blob.Keep(ctx, v.Tenant, f.Blob, until.Time)
		if fault.Is(err, fault.Gone) {
			return noFile(i)
		}
		if err == nil {
			_, err = s.files.Update(ctx, f.ID, func(f *file) error {
				f.ExpiresAt = until
				return nil
			})
		}
		if errors.Is(err, store.ErrNotFound) {
			return noFile(i)
		}
		if err != nil {
			return away(err)
		}
	}
	return nil
}

func noFile(i int) error {
	return fault.At("/fileIds/"+strconv.Itoa(i), "bad_value", "there is no such file; upload it first, and send it within %s", blob.Unused)
}

// share lets the mailbox's visitor fetch files of ours.
func (s *server) share(ctx context.Context, ch channel.Keyed, mailbox string, parts []channel.Part) error {
	for _, p := range parts {
		r, attrs, err := s.Blob.Open(ctx, ch.Tenant, p.Blob)
		if err != nil {
			return fmt.Errorf("attachment: %w", err)
		}
		_ = r.Close() // only looked at
		f := &file{Public: p.Name, MIME: p.MIME, Name: plainName(p.File), Size: attrs.Size, SHA256: attrs.SHA256, Blob: p.Blob}
		f.ID, f.Tenant, f.ExpiresAt, f.Type = fileID(mailbox, p.Name), ch.Tenant, event.At(s.Now()).Add(letterFor), mediatype.Kind(p.MIME)
		if err := s.Blob.Keep(ctx, ch.Tenant, f.Blob, f.ExpiresAt.Time); err != nil {
			return fmt.Errorf("attachment: %w", err)
		}
		if err := s.files.Insert(ctx, f); err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return nil
}

// download serves a file for saving: nothing in it can run on our origin.
func (s *server) download(c *gin.Context, v session) {
	ctx := c.Request.Context()
	f, err := s.files.Get(ctx, fileID(v.mailbox(), c.Param("file")))
	if err != nil {
		httpapi.Fail(c, httpapi.StoreError(err))
		return
	}
	body, _, err := s.Blob.Open(ctx, v.Tenant, f.Blob)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	defer body.Close() //nolint:errcheck // only read
	kind := mediatype.Canonical(f.MIME)
	if !slices.Contains(uploads, kind) {
		kind = "application/octet-stream"
	}
	h := c.Writer.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-site")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	held, end := s.standing(c, v)
	defer end()
	httpapi.Download(held, c, body)
}

// plainName keeps the last element of a name, and nothing that could end a header line.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < 32 || r == 127 || r == '"' || r == '\uFFFD' {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 120 {
		name = string(r[len(r)-120:])
	}
	if name == "" {
		return "file"
	}
	return name
}
