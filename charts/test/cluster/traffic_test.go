package cluster

import (
	"fmt"
	"net/url"
	"sync"
	"time"
)

// traffic are people who write all the time. What is not acknowledged is sent again, as providers do, and counted.
type traffic struct {
	*stand
	stop, done chan struct{}

	mu      sync.Mutex
	next    int
	acked   int
	failed  int
	errs    []string
	since   time.Time     // of the first failure in a row
	longest time.Duration // without an acknowledgement
}

const writers = 4

func (s *stand) traffic(first int) *traffic {
	t := &traffic{stand: s, stop: make(chan struct{}), done: make(chan struct{}), next: first}
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for {
				select {
				case <-t.stop:
					return
				case <-time.After(50 * time.Millisecond):
					t.write()
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
func (t *traffic) write() {
	t.mu.Lock()
	n := t.next
	t.next++
	t.mu.Unlock()
	for {
		err := t.provider.write(n)
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
			t.errs = append(t.errs, err.Error())
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
func (s *stand) conversations() (map[string][]message, error) {
	found, err := list(s, "/v1/conversations", "cursor", func(p page[struct{ ID string }]) string { return p.NextCursor })
	if err != nil {
		return nil, err
	}
	out := map[string][]message{}
	for _, c := range found {
		if out[c.ID], err = list(s, "/v1/conversations/"+c.ID+"/messages", "before", func(p page[message]) string { return p.PrevCursor }); err != nil {
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

// answer writes to every conversation, and waits until each answer is read; it returns how many there are.
func (s *stand) answer(round string) int {
	s.Helper()
	all, err := s.conversations()
	if err != nil || len(all) == 0 {
		s.Fatalf("%d conversations, %v", len(all), err)
	}
	made := map[string]string{}
	for id := range all {
		out := "out " + round + " " + id
		var m message
		if err := s.call("POST", "/v1/conversations/"+id+"/messages", map[string]any{"text": out}, &m); err != nil {
			s.Fatal(err)
		}
		made[m.ID] = out
	}
	for id, out := range made {
		s.wait("the answer is read", func() error {
			var m message
			if err := s.call("GET", "/v1/messages/"+id, nil, &m); err != nil {
				return err
			}
			if m.Status != "read" {
				return fmt.Errorf("%q is %q", out, m.Status)
			}
			return nil
		})
		if n := s.provider.counts()[out]; n != 1 {
			s.Errorf("%q reached the provider %d times", out, n)
		}
	}
	return len(made)
}
