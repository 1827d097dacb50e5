package gatewaytest

import (
	"context"
	"fmt"
	"sync"
)

// Blobs is a blob store in memory that can fail.
type Blobs struct {
	mu  sync.Mutex
	all map[string][]byte
	err error
}

// Fail lets every call fail with err; nil ends that.
func (b *Blobs) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Put implements ingress.Blobs.
func (b *Blobs) Put(_ context.Context, key, _ string, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string][]byte{}
	}
	b.all[key] = body
	return b.err
}

// Get implements ingress.Blobs.
func (b *Blobs) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if body, ok := b.all[key]; ok {
		return body, b.err
	}
	return nil, fmt.Errorf("no blob %s", key)
}
