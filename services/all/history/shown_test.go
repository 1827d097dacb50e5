package history

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tributaryhq/tributary/pkg/event"
)

// conversation and what is in it, as the API shows them.
type conversation struct {
	ID       string `json:"id"`
	ThreadID string `json:"thread_id"`
	Status   string `json:"status"`
	Handler  string `json:"handler"`
	Peer     string `json:"peer"`
	Seq      int64  `json:"seq"`
	Assignee *struct {
		ID string `json:"id"`
	} `json:"assignee"`
	n     int // its place in the thread's chain, which the API does not show
	items []item
}

type item struct {
	Message *message `json:"message"`
	Event   *struct {
		Seq int64      `json:"seq"`
		At  event.Time `json:"at"`
	} `json:"event"`
}

func (i item) seq() int64 {
	if i.Message != nil {
		return i.Message.Seq
	}
	return i.Event.Seq
}

// at is when it happened, as the API shows it.
func (i item) at() event.Time {
	if i.Message != nil {
		return i.Message.CreatedAt
	}
	return i.Event.At
}

type message struct {
	ID          string               `json:"id"`
	CreatedAt   event.Time           `json:"created_at"`
	Seq         int64                `json:"seq"`
	Direction   string               `json:"direction"`
	Text        string               `json:"text"`
	Status      event.DeliveryStatus `json:"status"`
	ExternalIDs []string             `json:"external_ids"`
	Statuses    []struct {
		Status event.DeliveryStatus `json:"status"`
	} `json:"statuses"`
}

type page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
	PrevCursor *string `json:"prev_cursor"`
}

// conversations lists those of this life, newest first; none if nobody answers.
func (l *life) conversations(n int) (out []conversation) {
	for _, kind := range types {
		for cursor := ""; ; {
			var p page[conversation]
			if l.call(n, apiKey, "GET", "/v1/conversations?limit=200&channel_id="+l.channels[kind]+cursor, "", nil, &p) != http.StatusOK {
				return nil
			}
			out = append(out, p.Data...)
			if p.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *p.NextCursor
		}
	}
	return out
}

// timeline reads all of a conversation, oldest first.
func (l *life) timeline(n int, id string) (out []item, ok bool) {
	for before := ""; ; {
		var p page[item]
		if l.call(n, apiKey, "GET", "/v1/conversations/"+id+"/timeline?limit=200"+before, "", nil, &p) != http.StatusOK {
			return nil, false
		}
		out = append(slices.Clone(p.Data), out...)
		if p.PrevCursor == nil {
			return out, true
		}
		before = "&before=" + *p.PrevCursor
	}
}

// listener is an agent app on the event stream, which comes again with its last id whenever the connection breaks.
type listener struct {
	stop context.CancelFunc
	over chan struct{}

	mu      sync.Mutex
	seen    map[string][]int64 // conversation → seqs in the order in which they came first
	created map[string]bool    // messages
	again   int                // events that came once more
	resyncs int
}

func (p *platform) listen() *listener {
	ctx, stop := context.WithCancel(context.Background())
	s := &listener{stop: stop, over: make(chan struct{}), seen: map[string][]int64{}, created: map[string]bool{}}
	ready := make(chan struct{})
	go func() {
		defer close(s.over)
		last, once := "", sync.OnceFunc(func() { close(ready) })
		for n := 0; ctx.Err() == nil; n++ {
			last = s.read(ctx, p, n, last, once)
			_ = wait(ctx, 10*1e6)
		}
	}()
	<-ready
	return s
}

// read hears events until the connection breaks, and returns the id to come again with.
func (s *listener) read(ctx context.Context, p *platform, n int, last string, ready func()) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url(n)+"/v1/events", nil)
	if err != nil {
		return last
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Client{Transport: p.client.Transport}).Do(req)
	if err != nil {
		return last
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return last
	}
	id, kind := "", ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			s.hear(kind, value)
			if id != "" {
				last = id
				ready()
			}
			id = ""
		}
	}
	return last
}

func (s *listener) hear(kind, data string) {
	var n struct {
		ConversationID string `json:"conversation_id"`
		MessageID      string `json:"message_id"`
		Seq            int64  `json:"seq"`
	}
	if json.Unmarshal([]byte(data), &n) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case kind == "resync":
		s.resyncs++
	case kind == string(event.MessageUpdated) || n.ConversationID == "" || n.Seq == 0:
	case slices.Contains(s.seen[n.ConversationID], n.Seq):
		s.again++
	default:
		s.seen[n.ConversationID] = append(s.seen[n.ConversationID], n.Seq)
		if kind == string(event.MessageCreated) {
			s.created[n.MessageID] = true
		}
	}
}

// wrong lists what the stream did not tell of a conversation, or told in another order.
func (s *listener) wrong(c conversation) (missing, wrong []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.IsSorted(s.seen[c.ID]) {
		wrong = append(wrong, fmt.Sprintf("P4: the stream told %s in the order %v", c.ID, s.seen[c.ID]))
	}
	for _, i := range c.items {
		if !slices.Contains(s.seen[c.ID], i.seq()) {
			missing = append(missing, fmt.Sprintf("the stream did not tell seq %d of %s", i.seq(), c.ID))
		}
		if i.Message != nil && !s.created[i.Message.ID] {
			missing = append(missing, "the stream did not tell message "+i.Message.ID)
		}
	}
	return missing, wrong
}
