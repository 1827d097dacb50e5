package record

import (
	"context"
	"errors"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// maxBlobObject is how long the object is that stands for a provider's object in the blob store, at most.
const maxBlobObject = 1 << 10 // bytes

// Blobs are the keys of the files that a content refers to: its files, and the provider's object where that was too long.
func Blobs(c event.Content) (keys []string) {
	for _, a := range c.Files() {
		if a.Blob != "" {
			keys = append(keys, a.Blob)
		}
		if a.Preview != "" {
			keys = append(keys, a.Preview)
		}
	}
	if len(c.Raw) > 0 && len(c.Raw) <= maxBlobObject {
		if key := gjson.GetBytes(c.Raw, "blob"); key.Type == gjson.String {
			keys = append(keys, key.Str)
		}
	}
	return keys
}

// RefersTo implements blob.Refers: the owners of files are messages.
func (r *Store) RefersTo(ctx context.Context, ref *blob.Reference) (bool, error) {
	m, err := r.Messages.Get(ctx, ref.Owner)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && slices.Contains(Blobs(m.Content), ref.Key), err
}
