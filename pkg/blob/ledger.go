package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	// InTransit is how long a file is kept for a message that is on its way to the record, and the body of a call for the journal:
	// longer than Kafka keeps their events (the journal: 7 days).
	InTransit = 30 * 24 * time.Hour
	// Unused is how long an uploaded file waits for the message that sends it.
	Unused = 24 * time.Hour
	// recheck is how long a file that is referred to is left alone by the collector.
	recheck = 30 * 24 * time.Hour
	// unsure is how long a reference counts although its owner does not (yet) refer to the file: the owner is written after it.
	unsure = 48 * time.Hour
)

var (
	entrySpec     = store.Spec{Name: "blobs", Indexes: []store.Index{{Name: "by_due", Fields: []string{"due"}}}}
	referenceSpec = store.Spec{Name: "blob_references", Indexes: []store.Index{{Name: "by_key", Fields: []string{"key", "at"}}}}
)

// Specs are the collections of the store's ledger.
var Specs = []store.Spec{entrySpec, referenceSpec}

// entry is what the ledger knows of one content of one tenant. Its key is never used again once it is doomed: a collector that was
// held up in the middle of a deletion cannot delete what was put later.
type entry struct {
	store.Meta
	Key     string     `json:"key,omitempty"` // under which the bytes are; empty: they are doomed, and the next Put gives a new one
	Size    int64      `json:"size"`
	Until   event.Time `json:"until"`            // it is not collected before
	Next    event.Time `json:"next,omitzero"`    // when its references are looked at again
	Due     event.Time `json:"due"`              // when the collector has something to do
	Doomed  []doomed   `json:"doomed,omitempty"` // keys whose bytes are to be deleted, whatever happens
	Touched int64      `json:"touched"`          // how often it was put, kept or held: the collector dooms only what was not meanwhile
}

type doomed struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
}

// Reference is an owner's word that it refers to a file.
type Reference struct {
	store.Meta
	Key   string     `json:"key"`
	Owner string     `json:"owner"` // the id of the document that refers to it
	At    event.Time `json:"at"`    // when it was last said
}

func entryID(tenant, sha string) string { return event.DeriveID("blb", tenant, sha) }

func plainKey(tenant, sha string) string { return tenant + "/" + sha[:2] + "/" + sha }

// digest is the content's digest in a key, and whether the ledger knows the key: those of earlier versions, and those that were
// given while the store was away, are not in it, and are never collected.
func digest(key string) (sha string, listed bool) {
	sha, _, listed = strings.Cut(key[strings.LastIndexByte(key, '/')+1:], ".")
	return sha, listed
}

// made reports whether a key has the form of those that Put gives for a tenant.
func made(tenant, key string) bool {
	rest, ok := strings.CutPrefix(key, tenant+"/")
	if !ok || tenant == "" || len(rest) < 3 || rest[2] != '/' {
		return false
	}
	sha, name, listed := strings.Cut(rest[3:], ".")
	if listed && (len(name) != 26 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "") {
		return false
	}
	return len(sha) == 2*sha256.Size && strings.HasPrefix(rest, sha[:2]) && strings.Trim(sha, "0123456789abcdef") == ""
}

// settle says when the collector has something to do.
func (e *entry) settle(now event.Time) {
	e.Due = later(e.Until, e.Next)
	if len(e.Doomed) > 0 {
		e.Due = now
	}
}

func later(a, b event.Time) event.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *Store) at() event.Time { return event.At(s.now()) }

// register enters a content that is about to be written, for at least a time, and returns its key.
func (s *Store) register(ctx context.Context, tenant string, b *body, life time.Duration) (string, error) {
	id := entryID(tenant, b.sha)
	e, err := s.entries.Upsert(ctx, id, func() *entry {
		e := &entry{Size: b.size}
		e.Tenant = tenant
		return e
	}, func(e *entry) error {
		if e.Key == "" {
			e.Key = plainKey(tenant, b.sha) + "." + rand.Text()
		}
		e.touch(s.at(), s.at().Add(life))
		return nil
	})
	if err != nil {
		return "", store.Fault(err)
	}
	return e.Key, nil
}

func (e *entry) touch(now, until event.Time) {
	e.Until = later(e.Until, until)
	e.Touched++
	e.settle(now)
}

// Keep keeps a file at least until a time. A file that is collected already is an error of kind Gone.
func (s *Store) Keep(ctx context.Context, tenant, key string, until time.Time) error {
	if !made(tenant, key) {
		return missing()
	}
	sha, listed := digest(key)
	if !listed {
		return nil
	}
	_, err := s.entries.Update(ctx, entryID(tenant, sha), func(e *entry) error {
		if e.Key != key {
			return missing()
		}
		e.touch(s.at(), event.At(until))
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return missing()
	}
	return store.Fault(err)
}

// Hold keeps files for as long as their owner refers to them; it is called before the owner is written, and again whenever that is
// tried again. A file that is collected already is an error of kind Gone; the others are held all the same.
func (s *Store) Hold(ctx context.Context, tenant, owner string, keys ...string) error {
	var errs []error
	for _, key := range keys {
		if err := s.hold(ctx, tenant, owner, key); err != nil && !fault.Is(err, fault.Gone) {
			return err
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errs[0]
	}
	return nil
}

// hold writes the reference first and then the entry: either the collector sees the reference, or it sees that the entry was
// touched, or this sees that the file is doomed.
func (s *Store) hold(ctx context.Context, tenant, owner, key string) error {
	if !made(tenant, key) {
		return missing()
	}
	if _, listed := digest(key); !listed {
		return nil
	}
	id := event.DeriveID("brf", key, owner)
	_, err := s.references.Upsert(ctx, id, func() *Reference {
		r := &Reference{Key: key, Owner: owner}
		r.Tenant = tenant
		return r
	}, func(r *Reference) error {
		r.At = s.at()
		return nil
	})
	if err != nil {
		return store.Fault(err)
	}
	err = s.Keep(ctx, tenant, key, time.Time{})
	if fault.Is(err, fault.Gone) {
		return errors.Join(err, s.references.Delete(ctx, id))
	}
	return err
}

// Release lets the collector look at files again, because an owner does not refer to them any more.
func (s *Store) Release(ctx context.Context, tenant string, keys ...string) error {
	for _, key := range keys {
		sha, listed := digest(key)
		if !listed || !made(tenant, key) {
			continue
		}
		_, err := s.entries.Update(ctx, entryID(tenant, sha), func(e *entry) error {
			if e.Key != key || e.Next.IsZero() {
				return store.Unchanged
			}
			e.Next = event.Time{}
			e.settle(s.at())
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.Fault(err)
		}
	}
	return nil
}

func missing() error { return fault.New(fault.Gone, "blob_missing", "there is no such file") }
