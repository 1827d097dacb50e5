package provider

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// asking is a toy that asks again, after a pause, until the provider says that it is ready.
type asking struct {
	gatewaytest.Toy
	pause time.Duration
}

func (a asking) Settle(_ channel.Channel, _ event.Outbound, req channel.Request, resp channel.Response) (channel.Outcome, error) {
	if string(resp.Body) == "ready" {
		return channel.Outcome{Status: event.Sent}, nil
	}
	req.After, req.Safe = a.pause, true
	return channel.Outcome{Next: []channel.Request{req}}, nil
}

// counting is a transport that notes when it was called, and says at some call that it is ready.
type counting struct {
	ready int
	began time.Time
	at    []time.Duration
}

func (c *counting) Do(ctx context.Context, _ channel.Keyed, _ channel.Request) (channel.Response, error) {
	c.at = append(c.at, time.Since(c.began))
	if err := ctx.Err(); err != nil {
		return channel.Response{}, err
	}
	body := "not yet"
	if len(c.at) == c.ready {
		body = "ready"
	}
	return channel.Response{Status: 200, Body: []byte(body)}, nil
}

// A chain of calls ends with the time that the send has, and with nothing else: a provider may be asked as often as it wants to be.
func TestAChainOfCallsIsBoundedByItsTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ready int
		pause time.Duration
		want  dispatch.Finding
		calls int
		took  time.Duration
	}{
		"many calls":                  {40, time.Second, dispatch.Taken, 40, 39 * time.Second},
		"at once":                     {500, 0, dispatch.Taken, 500, 0},
		"never ready":                 {0, time.Second, dispatch.Deferred, 60, 59 * time.Second},
		"a pause longer than is left": {2, time.Hour, dispatch.Deferred, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				provider := &counting{ready: c.ready, began: time.Now()}
				call := &Caller{
					Adapter:    channel.Guard(asking{gatewaytest.Toy{Kind: event.Telegram}, c.pause}),
					Transports: map[string]Transport{"http": provider}, Now: time.Now,
				}
				ch, msg := gatewaytest.Channel(event.Telegram, "ch_a", "acme", "http://provider.test"), outbound("x")
				reqs, err := call.Adapter.Render(ch.Channel, msg)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				v := call.Send(ctx, ch, msg, reqs[0], About{})
				if v.Finding != c.want || len(provider.at) != c.calls || provider.at[len(provider.at)-1] != c.took {
					t.Errorf("%+v after %d calls, the last after %s", v, len(provider.at), provider.at[len(provider.at)-1])
				}
				if c.want == dispatch.Deferred && (v.Err.Code != "too_late" || !fault.Is(v.Err, fault.Unavailable)) {
					t.Errorf("%+v", v.Err)
				}
			})
		})
	}
}

// A large file goes out in pieces, each read from where it begins.
func TestAPieceOfAFileIsSent(t *testing.T) {
	t.Parallel()
	h := caller(t).Transports["http"].(*HTTP)
	key, _, _, _, err := h.Blobs.Put(t.Context(), "acme", strings.NewReader("0123456789"), 100)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		offset, length int64
		want           string
	}{
		"all of it": {0, 0, "0123456789"}, "the beginning": {0, 4, "0123"}, "in between": {4, 4, "4567"}, "the end": {8, 2, "89"}, "the rest": {8, 0, "89"},
		"nothing is left": {10, 0, ""}, "too far": {11, 0, "!"}, "too long": {8, 3, "!"}, "before it": {-1, 2, "!"}, "a negative length": {2, -1, "!"},
	} {
		part := channel.Part{Name: "media", Blob: key, File: "a", Offset: c.offset, Len: c.length}
		r, err := h.request(t.Context(), "acme", channel.Request{Method: "POST", URL: "http://provider.test", Form: []channel.Part{part}})
		if (err != nil) != (c.want == "!") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || int64(len(body)) != r.ContentLength || !strings.Contains(string(body), "\r\n\r\n"+c.want+"\r\n--") {
			t.Errorf("%s: %v, %d of %d bytes: %q", name, err, len(body), r.ContentLength, body)
		}
	}
}

// A file that is the whole body of a call is streamed with its type and length.
func TestAFileIsTheBody(t *testing.T) {
	t.Parallel()
	h := caller(t).Transports["http"].(*HTTP)
	key, _, _, _, err := h.Blobs.Put(t.Context(), "acme", strings.NewReader("0123456789"), 100)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.request(t.Context(), "acme", channel.Request{Method: "POST", URL: "http://provider.test", File: &channel.Part{Blob: key, MIME: "image/png"}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil || string(body) != "0123456789" || r.ContentLength != 10 || r.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%v, %d: %q as %q", err, r.ContentLength, body, r.Header)
	}
	if _, err := h.request(t.Context(), "acme", channel.Request{Method: "POST", URL: "http://provider.test", File: &channel.Part{Blob: "blb_gone"}}); err == nil {
		t.Error("a file that is gone is sent")
	}
}
