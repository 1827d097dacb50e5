package cluster

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// traffic are people who write all the time, on every channel in turn. What is not acknowledged is sent again, as providers do, and
// counted.
type traffic struct {
	*stand
	stop, done chan struct{}
	over       string // what their connections are

	mu      sync.Mutex
	next    int
	acked   int
	failed  int
	errs    []string
	since   time.Time     // of the first failure in a row
	longest time.Duration // without an acknowledgement
}

const writers = 4

// traffic begins with message first. With kept, every other writer keeps its connection for as long as it is let; all others make one for
// every call.
func (s *stand) traffic(first int, kept bool) *traffic {
	t := &traffic{stand: s, stop: make(chan struct{}), done: make(chan struct{}), over: "new connections", next: first}
	if kept {
		t.over = "new and kept connections"
	}
	var group sync.WaitGroup
	for i := range writers {
		by := fresh
		if kept && i%2 == 1 {
			by = keeping()
			s.Cleanup(by.CloseIdleConnections)
		}
		group.Go(func() {
			for {
				select {
				case <-t.stop:
					return
				case <-time.After(50 * time.Millisecond):
					t.write(by)
				}
			}
		})
	}
	go func() {
		group.Wait()
		close(t.done)
	}()
	return t
}

// write sends one message until it is acknowledged.
func (t *traffic) write(by *http.Client) {
	t.mu.Lock()
	n := t.next
	t.next++
	t.mu.Unlock()
	for {
		err := t.provider.post(by, of(n), of(n).message(n))
		t.mu.Lock()
		if err == nil {
			t.acked++
			if !t.since.IsZero() {
				t.longest, t.since = max(t.longest, time.Since(t.since)), time.Time{}
			}
			t.mu.Unlock()
			return
		}
		t.failed++
		if t.since.IsZero() {
			t.since = time.Now()
		}
		if len(t.errs) < 5 {
			t.errs = append(t.errs, of(n).name+": "+err.Error())
		}
		t.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

// until waits until so many more were acknowledged.
func (t *traffic) until(more int) {
	t.Helper()
	t.mu.Lock()
	want := t.acked + more
	t.mu.Unlock()
	t.wait("acknowledgements", func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.acked < want {
			return fmt.Errorf("%d of %d; %q", t.acked, want, t.errs)
		}
		return nil
	})
}

// counted is how many were acknowledged, and how many calls failed.
func (t *traffic) counted() (acked, failed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.acked, t.failed
}

// undisturbed fails the test if a webhook fails while something is done, and says how many did not.
func (t *traffic) undisturbed(what string, do func()) {
	t.Helper()
	t.mu.Lock()
	acked, failed := t.acked, t.failed
	t.errs = nil
	t.mu.Unlock()
	do()
	t.until(20)
	now, bad := t.counted()
	t.Logf("%s: %d webhooks of %d channels over %s, %d failed", what, now-acked, len(kinds), t.over, bad-failed)
	if bad != failed {
		t.Errorf("%d webhooks failed: %q", bad-failed, t.errs)
	}
}

// written is how many messages have a number.
func (t *traffic) written() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next
}

// end stops the people, and returns the number of the next message.
func (t *traffic) end() int {
	close(t.stop)
	<-t.done
	return t.next
}

// page is a page of the API.
type page[T any] struct {
	Data       []T
	NextCursor string `json:"next_cursor"`
	PrevCursor string `json:"prev_cursor"`
}

type conversation struct {
	ID      string
	Channel struct{ Type string }
}

type message struct{ ID, Direction, Text, Status string }

// list reads all pages: the next ones, or what is before them where a list ends with the newest.
func list[T any](s *stand, path, parameter string, next func(page[T]) string) (all []T, err error) {
	for more := ""; ; {
		var p page[T]
		if err := s.call("GET", path+"?limit=100"+more, nil, &p); err != nil {
			return nil, err
		}
		all = append(all, p.Data...)
		if next(p) == "" {
			return all, nil
		}
		more = "&" + parameter + "=" + url.QueryEscape(next(p))
	}
}

// conversations are those of the tenant, with their messages.
func (s *stand) conversations() (map[conversation][]message, error) {
	found, err := list(s, "/v1/conversations", "cursor", func(p page[conversation]) string { return p.NextCursor })
	if err != nil {
		return nil, err
	}
	out := map[conversation][]message{}
	for _, c := range found {
		if out[c], err = list(s, "/v1/conversations/"+c.ID+"/messages", "before", func(p page[message]) string { return p.PrevCursor }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// complete waits until every message from 0 up to next is there, and fails if one is there twice.
func (s *stand) complete(next int) (lost, doubled int) {
	s.Helper()
	s.wait("everything that was acknowledged", func() error {
		all, err := s.conversations()
		if err != nil {
			return err
		}
		seen := map[string]int{}
		for _, messages := range all {
			for _, m := range messages {
				if m.Direction == "inbound" {
					seen[m.Text]++
				}
			}
		}
		lost, doubled = 0, 0
		for n := range next {
			lost += max(0, 1-seen[text(n)])
			doubled += max(0, seen[text(n)]-1)
		}
		if lost > 0 {
			return fmt.Errorf("%d of %d are missing", lost, next)
		}
		return nil
	})
	return lost, doubled
}

// answer writes to every conversation, and waits until the provider of each has told the last; it returns how many there are.
func (s *stand) answer(round string) int {
	s.Helper()
	all, err := s.conversations()
	if err != nil || len(all) == 0 {
		s.Fatalf("%d conversations, %v", len(all), err)
	}
	type answer struct{ text, last string }
	made := map[string]answer{}
	for c := range all {
		a := answer{text: "out " + round + " " + c.ID}
		for _, k := range kinds {
			if k.name == c.Channel.Type {
				a.last = k.last
			}
		}
		var m message
		if err := s.call("POST", "/v1/conversations/"+c.ID+"/messages", map[string]any{"text": a.text}, &m); err != nil {
			s.Fatal(err)
		}
		made[m.ID] = a
	}
	for id, a := range made {
		s.wait("what became of the answer", func() error {
			var m message
			if err := s.call("GET", "/v1/messages/"+id, nil, &m); err != nil {
				return err
			}
			if m.Status != a.last {
				return fmt.Errorf("%q is %q, want %q", a.text, m.Status, a.last)
			}
			return nil
		})
		if n := s.provider.counts()[a.text]; n != 1 {
			s.Errorf("%q reached the provider %d times", a.text, n)
		}
	}
	return len(made)
}
