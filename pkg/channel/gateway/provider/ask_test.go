package provider

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/lease"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// stepping is a toy whose messages take three calls; each keeps in its State how many there were.
type stepping struct {
	gatewaytest.Toy
	size int // of the State that the third call has, in bytes
}

type steps struct {
	Done []string `json:"done"`
	Pad  string   `json:"pad,omitempty"`
}

func (s stepping) Settle(_ channel.Channel, _ event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	var at steps
	if !req.ReadState(&at) && req.Tag != "" {
		return channel.Outcome{}, fault.New(fault.Internal, "state_lost", "the state did not come back")
	}
	at.Done = append(at.Done, string(resp.Body))
	if len(at.Done) == 3 {
		return channel.Outcome{Refs: at.Done, Status: event.Sent}, nil
	}
	if len(at.Done) == 2 {
		at.Pad = strings.Repeat("x", s.size)
	}
	req.Tag, req.State = "step", channel.State(at)
	return channel.Outcome{Next: []channel.Request{req}}, nil
}

// What an adapter keeps for its next step comes back with the answer, and goes to nobody else.
func TestTheStateOfACallComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size  int
		want  dispatch.Finding
		calls int
	}{"within the limit": {100, dispatch.Taken, 3}, "over it": {channel.MaxState, dispatch.Rejected, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var seen []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				mu.Lock()
				defer mu.Unlock()
				head, _ := json.Marshal(r.Header)
				seen = append(seen, r.URL.String()+string(head)+string(b))
				_, _ = io.WriteString(w, "ref-"+string(rune('0'+len(seen))))
			}))
			defer server.Close()
			call := caller(t)
			call.Adapter = channel.Guard(stepping{gatewaytest.Toy{Kind: event.Telegram}, c.size})
			v := send(t, call, gatewaytest.Channel(event.Telegram, "ch_a", "acme", server.URL), outbound("x"))
			if v.Finding != c.want || c.want == dispatch.Taken && !slices.Equal(v.Refs, []string{"ref-1", "ref-2", "ref-3"}) || c.want == dispatch.Rejected && v.Err.Code != "state_too_large" {
				t.Errorf("%+v", v)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(seen) != c.calls || strings.Contains(strings.Join(seen, ""), "done") {
				t.Errorf("the provider saw %q", seen)
			}
		})
	}
}

// A question whose token the provider denies is asked once more with a new one; what is said of the answer is without secrets.
func TestAskingRenewsTheTokenOnce(t *testing.T) {
	t.Parallel()
	for name, denies := range map[string]bool{"the token was replaced elsewhere": false, "no token is good": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTokenServer(t, 7200)
			s.denies.Store(denies)
			ch, now := gatewaytest.Channel(event.WeChat, "ch_a", "acme", s.URL), &clock{at: time.Now()}
			c := replica(t, storetest.New(t, TokenSpec, lease.Spec), now.now)
			if _, err := c.Tokens.Token(t.Context(), ch); err != nil {
				t.Fatal(err)
			}
			s.given.Add(1)
			now.pass(2 * dropAgain)
			asked := 0
			err := c.Ask(t.Context(), ch, channel.Request{Method: "GET", URL: s.URL + "/who", Safe: true}, func(resp channel.Response) error {
				asked++
				if resp.Status != http.StatusOK {
					return fault.New(fault.Denied, channel.CodeCredentials, "refused with %s", ch.Secrets.Current("api_token"))
				}
				return nil
			})
			if asked != 2 || denies != fault.Is(err, fault.Denied) || err != nil && strings.Contains(err.Error()+fault.Of(err).Detail, gatewaytest.APIToken) {
				t.Errorf("asked %d times: %v", asked, err)
			}
		})
	}
}
