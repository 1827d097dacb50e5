package stand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// A visitor of the web chat may write 20 messages a minute, and a channel take 100 a second: for a load there must be many.
const (
	visitors = 6400
	chats    = 64
)

// visitors begins n sessions, spread over channels, each from an address of its own, as a proxy would report it.
func (s *Stand) visitors(ctx context.Context, n int) ([]map[string]string, error) {
	channels, err := s.Channels(ctx, "webchat", chats, "")
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]string, n)
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				rows[i], errs[w] = s.visit(ctx, channels[i%len(channels)]["channel"], i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (s *Stand) visit(ctx context.Context, channel string, i int) (map[string]string, error) {
	address := fmt.Sprintf("100.64.%d.%d", i>>8, i&0xff)
	req, err := http.NewRequestWithContext(ctx, "POST", s.URL("webchat")+"/chat/"+channel+"/sessions", bytes.NewReader([]byte("{}")))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Forwarded-For", address)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	var got struct {
		Visitor string `json:"visitorId"`
		Token   string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Token == "" {
		return nil, fmt.Errorf("session %d: %s", i, resp.Status)
	}
	return map[string]string{"channel": channel, "token": got.Token, "visitor": got.Visitor, "address": address}, nil
}
