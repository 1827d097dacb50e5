package measure

import (
	"context"
	"net/url"
	"sync"

	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/stream"
)

// stock is what the inbox holds, compared with what was acknowledged.
type stock struct{ messages, lost, doubled int }

type page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next_cursor"`
	Prev *string `json:"prev_cursor"`
}

// conversations lists the ids of all conversations.
func conversations(ctx context.Context, s *stand.Stand, query string) (ids []string, err error) {
	for cursor := ""; ; {
		var p page[struct {
			ID string `json:"id"`
		}]
		if err := s.Call(ctx, "inbox", "GET", "/v1/conversations?limit=200"+query+cursor, nil, nil, &p); err != nil {
			return nil, err
		}
		for _, c := range p.Data {
			ids = append(ids, c.ID)
		}
		if p.Next == nil {
			return ids, nil
		}
		cursor = "&cursor=" + url.QueryEscape(*p.Next)
	}
}

// inventory reads every message of the inbox.
func inventory(ctx context.Context, s *stand.Stand, w *watched) (out stock, err error) {
	ids, err := conversations(ctx, s, "")
	if err != nil {
		return out, err
	}
	keys, err := s.Keys(ctx, 16)
	if err != nil {
		return out, err
	}
	copies := map[stream.Mark]int{}
	var mu sync.Mutex
	errs := make([]error, len(keys))
	var wg sync.WaitGroup
	for n, key := range keys {
		wg.Go(func() {
			for i := n; i < len(ids) && errs[n] == nil; i += len(keys) {
				errs[n] = inbound(ctx, s, key, ids[i], func(m stream.Mark) {
					mu.Lock()
					defer mu.Unlock()
					copies[m]++
				})
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	for _, n := range copies {
		out.messages += n
		if n > 1 {
			out.doubled++
		}
	}
	for _, c := range w.acked {
		if copies[w.mark(c.k)] == 0 {
			out.lost++
		}
	}
	return out, nil
}

// inbound reads the customer's messages of a conversation, page by page.
func inbound(ctx context.Context, s *stand.Stand, key, id string, each func(stream.Mark)) error {
	auth := map[string]string{"Authorization": "Bearer " + key}
	for before := ""; ; {
		var p page[struct {
			ID        string `json:"id"`
			Direction string `json:"direction"`
		}]
		if err := s.Call(ctx, "inbox", "GET", "/v1/conversations/"+id+"/messages?limit=200"+before, auth, nil, &p); err != nil {
			return err
		}
		for _, m := range p.Data {
			if mark, ok := stream.MarkOf([]byte(m.ID)); ok && m.Direction == "inbound" {
				each(mark)
			}
		}
		if p.Prev == nil {
			return nil
		}
		before = "&before=" + url.QueryEscape(*p.Prev)
	}
}
