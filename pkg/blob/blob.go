// Package blob keeps media and large bodies: in a folder, in memory, or in an object store.
//
// What is kept is named by its content, below its tenant: the same bytes are kept once, a key never shows other bytes later, and
// writing twice is harmless. A ledger in the document store says until when a file is kept and who refers to it; what nothing
// refers to is collected ([Store.Collect]).
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"go.opentelemetry.io/otel/metric"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

// Store is a bucket, safe for concurrent use.
type Store struct {
	bucket *blob.Bucket
	folder string // of a file: store; "" for all others, which sync what they acknowledge
	now    func() time.Time

	entries    *store.Collection[entry]
	references *store.Collection[Reference]
	collected  metric.Int64Counter
}

// Attrs is what is known about a blob.
type Attrs struct {
	Size    int64
	MIME    string // found in the bytes, whatever the sender claimed
	SHA256  string // hex
	Changed time.Time
}

// Open opens the store at a URL: file:<folder> (made if missing), mem://, and in binaries built with -tags objectstores s3://, gs://
// and azblob://. Credentials of an object store come from where its SDK looks for them, not from the URL. The ledger is in db, which must
// have the collections [Specs].
func Open(ctx context.Context, rawURL string, db store.DB, now func() time.Time) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme == "" {
		return nil, fault.At("/blob_url", "invalid", "blob url: want file:<folder>, mem:// or the URL of an object store")
	}
	var b *blob.Bucket
	folder := ""
	if u.Scheme == "file" {
		dir := u.Opaque + u.Host + u.Path
		if dir == "" {
			return nil, fault.At("/blob_url", "invalid", "blob url: file: names no folder")
		}
		// Temporary files lie next to the blobs, so that a finished one is renamed into place, never copied across file systems.
		folder = filepath.FromSlash(dir)
		b, err = fileblob.OpenBucket(folder, &fileblob.Options{CreateDir: true, NoTempDir: true})
	} else if !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
		return nil, fault.At("/blob_url", "invalid", "blob url: this binary has no %q: want one of %s (object stores need a build with -tags objectstores)",
			u.Scheme, strings.Join(append(blob.DefaultURLMux().BucketSchemes(), "file"), ", "))
	} else {
		b, err = blob.OpenBucket(ctx, rawURL)
	}
	if err != nil {
		return nil, fmt.Errorf("blob: open %s store: %w", u.Scheme, err)
	}
	return &Store{
		bucket: b, folder: folder, now: now, collected: newCollected(),
		entries: store.NewCollection[entry](db, entrySpec), references: store.NewCollection[Reference](db, referenceSpec),
	}, nil
}

// Close ends the use of the store.
func (s *Store) Close() error { return s.bucket.Close() }

// Ping reports whether the store can be reached.
func (s *Store) Ping(ctx context.Context) error {
	ok, err := s.bucket.IsAccessible(ctx)
	if err == nil && !ok {
		err = errors.New("the bucket is not there")
	}
	return classify("ping", "", err)
}

// Put keeps what r has, at most maxSize bytes, and tells under which key. It is kept for [InTransit] and as long as it is held
// ([Store.Hold]). More is an error of kind Invalid with code too_large, and nothing is kept. An error of r itself is returned as it
// is.
func (s *Store) Put(ctx context.Context, tenant string, r io.Reader, maxSize int64) (key, sha string, size int64, mime string, err error) {
	return s.put(ctx, tenant, r, maxSize, InTransit)
}

// Upload is Put for a file that no message refers to yet: it is kept for [Unused].
func (s *Store) Upload(ctx context.Context, tenant string, r io.Reader, maxSize int64) (key, sha string, size int64, mime string, err error) {
	return s.put(ctx, tenant, r, maxSize, Unused)
}

func (s *Store) put(ctx context.Context, tenant string, r io.Reader, maxSize int64, life time.Duration) (key, sha string, size int64, mime string, err error) {
	if tenant == "" || strings.ContainsAny(tenant, "/\\") || tenant == "." || tenant == ".." {
		return "", "", 0, "", fault.At("/tenant", "invalid", "blob: %q is no tenant", tenant)
	}
	b, err := receive(r, maxSize)
	if err != nil {
		return "", "", 0, "", fmt.Errorf("blob: receive: %w", err)
	}
	defer b.discard()
	key, err = s.register(ctx, tenant, b, life)
	if fault.Is(err, fault.Unavailable) && life == InTransit && ctx.Err() == nil {
		key, err = plainKey(tenant, b.sha), nil // what a provider tells is taken also while the store is away, and kept for good
	}
	if err != nil {
		return "", "", 0, "", fmt.Errorf("blob: ledger: %w", err)
	}
	if err := s.write(ctx, key, b); err != nil {
		return "", "", 0, "", classify("put", key, err)
	}
	return key, b.sha, b.size, b.mime, nil
}

// write keeps a body under its key. What is there with another size was cut by a loss of power, and is written again.
func (s *Store) write(ctx context.Context, key string, b *body) error {
	there, err := s.bucket.Attributes(ctx, key)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	if err != nil || there.Size != b.size {
		err = s.upload(ctx, key, b)
	}
	if err != nil || s.folder == "" {
		return err
	}
	return syncBlob(s.folder, key)
}

func (s *Store) upload(ctx context.Context, key string, b *body) error {
	content, err := b.reader()
	if err != nil {
		return err
	}
	// Somebody may serve the bucket directly: nothing in it is to be shown inside a page.
	return s.bucket.Upload(ctx, key, content, &blob.WriterOptions{ContentType: b.mime, ContentDisposition: "attachment"})
}

// Open reads a blob of a tenant. A key without one is an error of kind Gone, and so is a key that [Store.Put] did not give for that
// tenant, wherever it came from. The caller closes the reader.
func (s *Store) Open(ctx context.Context, tenant, key string) (io.ReadSeekCloser, Attrs, error) {
	if !made(tenant, key) {
		return nil, Attrs{}, missing()
	}
	r, err := s.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, Attrs{}, classify("open", key, err)
	}
	sha, _ := digest(key)
	return r, Attrs{Size: r.Size(), MIME: r.ContentType(), SHA256: sha, Changed: r.ModTime()}, nil
}

// remove deletes the bytes of a key; it is no error if there are none.
func (s *Store) remove(ctx context.Context, key string) error {
	err := s.bucket.Delete(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return classify("delete", key, err)
}

func classify(what, key string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("blob: %s %s: %w", what, key, err)
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return &fault.Error{Kind: fault.Gone, Code: "blob_missing", Err: err}
	case gcerrors.InvalidArgument:
		return &fault.Error{Kind: fault.Invalid, Code: "blob_key_invalid", Err: err}
	}
	return &fault.Error{Kind: fault.Unavailable, Code: "blob_unavailable", Err: err}
}

// sum describes bytes that pass through.
type sum struct {
	hash hash.Hash
	head []byte // enough for mimetype
	size int64
}

const headSize = 3072 // what mimetype looks at

func newSum() *sum { return &sum{hash: sha256.New()} }

func (s *sum) Write(p []byte) (int, error) {
	if room := headSize - len(s.head); room > 0 {
		s.head = append(s.head, p[:min(room, len(p))]...)
	}
	s.size += int64(len(p))
	return s.hash.Write(p)
}

func (s *sum) sha() string  { return hex.EncodeToString(s.hash.Sum(nil)) }
func (s *sum) mime() string { return mimetype.Detect(s.head).String() }
