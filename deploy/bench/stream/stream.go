// Package stream listens to Tributary's event stream (SSE) as an agent app does, and knows when which message appeared on it.
package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Mark is a message id as a number, so that many of them cost the garbage collector nothing. It takes 60 of its 128 bits.
type Mark uint64

// MarkOf reads a message id of the API: msg_ and 26 characters of base 32.
func MarkOf(id []byte) (m Mark, ok bool) {
	id, ok = bytes.CutPrefix(id, []byte("msg_"))
	if !ok || len(id) < 12 {
		return 0, false
	}
	for _, c := range id[:12] {
		i := bytes.IndexByte([]byte(digits), c)
		if i < 0 {
			return 0, false
		}
		m = m<<5 | Mark(i)
	}
	return m, true
}

const digits = "0123456789abcdefghjkmnpqrstvwxyz"

// MarkFor is the mark of the message that a reference on a channel becomes.
func MarkFor(tenant, channel, ref string) Mark {
	m, _ := MarkOf([]byte(event.DeriveID("msg", tenant, channel, ref)))
	return m
}

// Stream is a connection to the stream.
type Stream struct {
	seen    atomic.Int64 // messages of customers that were new on the stream
	repeats atomic.Int64 // that came again
	cancel  context.CancelFunc
	done    chan struct{}
	err     error

	mu sync.Mutex
	at map[Mark]time.Time
}

// Open connects, and returns once the stream is ready.
func Open(ctx context.Context, url, key string) (*Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &Stream{cancel: cancel, done: make(chan struct{}), at: map[Mark]time.Time{}}
	req, err := http.NewRequestWithContext(ctx, "GET", url+"/v1/events", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req) //nolint:bodyclose // the reader closes it
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		cancel()
		return nil, errors.Join(fmt.Errorf("GET /v1/events: %s", resp.Status), resp.Body.Close())
	}
	ready := make(chan struct{})
	go func() {
		defer close(s.done)
		defer resp.Body.Close() //nolint:errcheck // the run is over
		s.read(bufio.NewReaderSize(resp.Body, 64<<10), sync.OnceFunc(func() { close(ready) }))
	}()
	select {
	case <-ready:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("the event stream ended: %w", s.err)
	case <-ctx.Done():
		cancel()
		return nil, ctx.Err()
	}
}

var (
	created = []byte("event: message.created")
	resync  = []byte("event: resync")
	inbound = []byte(`"direction":"inbound"`)
	before  = []byte(`"message_id":"`)
)

func (s *Stream) read(r *bufio.Reader, ready func()) {
	message := false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			s.err = err
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("event: ")):
			ready()
			message = bytes.HasPrefix(line, created)
			if bytes.HasPrefix(line, resync) {
				s.err = errors.New("resync: the reader is behind the log")
				return
			}
		case message && bytes.HasPrefix(line, []byte("data: ")) && bytes.Contains(line, inbound):
			s.note(line)
		}
	}
}

func (s *Stream) note(line []byte) {
	_, rest, _ := bytes.Cut(line, before)
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	m, ok := MarkOf(id)
	if !ok {
		return
	}
	now := time.Now()
	s.mu.Lock()
	_, again := s.at[m]
	if !again {
		s.at[m] = now
	}
	s.mu.Unlock()
	if again {
		s.repeats.Add(1)
	} else {
		s.seen.Add(1)
	}
}

// Seen is how many messages of customers have appeared, and how many appeared again.
func (s *Stream) Seen() (n, repeats int64) { return s.seen.Load(), s.repeats.Load() }

// When says when a message appeared first.
func (s *Stream) When(m Mark) (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok = s.at[m]
	return at, ok
}

// Err says why the stream has ended; nil while it goes on.
func (s *Stream) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends the connection.
func (s *Stream) Close() {
	s.cancel()
	<-s.done
}
