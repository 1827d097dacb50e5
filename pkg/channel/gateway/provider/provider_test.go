package provider

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/dispatch"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func caller(t *testing.T) *Caller {
	h := &HTTP{Client: gatewaytest.Egress(t), Blobs: gatewaytest.Blobs(t)}
	return &Caller{Adapter: channel.Guard(gatewaytest.Toy{Kind: event.Telegram}), Transports: map[string]Transport{"http": h, "https": h}, Now: time.Now}
}

func outbound(text string) event.Outbound {
	return event.Outbound{MessageID: "msg_1", AttemptID: "a1", Peer: "ann", Content: event.Content{Type: event.Text, Text: text}}
}

func send(t *testing.T, c *Caller, ch channel.Keyed, msg event.Outbound) Verdict {
	t.Helper()
	reqs, err := c.Adapter.Render(ch.Channel, msg)
	if err != nil {
		t.Fatal(err)
	}
	return c.Send(t.Context(), ch, msg, reqs[0], About{Tenant: "acme", Message: "msg_1", Attempt: "a1"})
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer gatewaytest.Answer
		want   dispatch.Finding
		kind   fault.Kind
	}{
		{"taken", gatewaytest.Answer{}, dispatch.Taken, 0},
		{"documented as not done", gatewaytest.Answer{Status: 503}, dispatch.Deferred, fault.Unavailable},
		{"too fast", gatewaytest.Answer{Status: 429, After: "7"}, dispatch.Deferred, fault.Throttled},
		{"refused for good", gatewaytest.Answer{Status: 400}, dispatch.Rejected, fault.Invalid},
		{"credentials", gatewaytest.Answer{Status: 401}, dispatch.Rejected, fault.Denied},
		{"a 5xx that nobody documents", gatewaytest.Answer{Status: 500}, dispatch.Unsure, fault.Unknown},
		{"no answer", gatewaytest.Answer{Silent: true}, dispatch.Unsure, fault.Unknown},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := gatewaytest.NewProvider(t, func(gatewaytest.Sending, int) gatewaytest.Answer { return c.answer })
			v := send(t, caller(t), gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL), outbound("x"))
			if v.Finding != c.want || v.Err != nil && v.Err.Kind != c.kind {
				t.Errorf("%+v", v)
			}
			if c.kind == fault.Throttled && v.Err.After != 7*time.Second {
				t.Errorf("after %s", v.Err.After)
			}
			if c.want == dispatch.Taken && (!slices.Equal(v.Refs, []string{"ref-a1/0"}) || v.Status != event.Accepted) {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestNothingLeftIsRefused(t *testing.T) {
	t.Parallel()
	c := caller(t)
	dead := httptest.NewServer(nil)
	dead.Close()
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", dead.URL)
	if v := send(t, c, ch, outbound("x")); v.Finding != dispatch.Deferred {
		t.Errorf("nobody listens: %+v", v)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if v := c.Send(late, ch, outbound("x"), channel.Request{Method: "POST", URL: dead.URL}, About{}); v.Finding != dispatch.Deferred {
		t.Errorf("after the deadline: %+v", v)
	}
	inside := channel.Request{Method: "POST", URL: "http://169.254.169.254/latest"}
	if v := c.Send(t.Context(), ch, outbound("x"), inside, About{}); v.Finding != dispatch.Rejected || v.Err.Kind != fault.Denied {
		t.Errorf("an address of the inside: %+v", v)
	}
	if v := c.Send(t.Context(), ch, outbound("x"), channel.Request{URL: "gopher://x"}, About{}); v.Finding != dispatch.Rejected {
		t.Errorf("no transport: %+v", v)
	}
	missing := channel.Request{Method: "POST", URL: dead.URL, Form: []channel.Part{{Name: "file", Blob: "acme/00/nothing"}}}
	if v := c.Send(t.Context(), ch, outbound("x"), missing, About{}); v.Finding != dispatch.Rejected || v.Err.Kind != fault.Gone {
		t.Errorf("a file that is gone: %+v", v)
	}
}

func TestFilesAreStreamedIntoForms(t *testing.T) {
	t.Parallel()
	p := gatewaytest.NewProvider(t, nil)
	c := caller(t)
	blobs := c.Transports["http"].(*HTTP).Blobs
	big := strings.Repeat("0123456789", 300_000)
	key, _, _, _, err := blobs.Put(t.Context(), "acme", strings.NewReader(big), 10<<20)
	if err != nil {
		t.Fatal(err)
	}
	msg := outbound("")
	msg.Content = event.Content{Type: event.Image, Attachments: []event.Attachment{{Type: event.Image, Blob: key, Name: "a \"b\"\r\n.png", MIME: "image/png"}}}
	reqs, err := c.Adapter.Render(gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL).Channel, msg)
	if err != nil {
		t.Fatal(err)
	}
	v := c.Send(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL), msg, reqs[1], About{})
	if v.Finding != dispatch.Taken {
		t.Fatalf("%+v", v)
	}
	if diff := cmp.Diff([]string{`a1|a "b".png|image/png|` + big + "|true"}, p.Uploads()); diff != "" {
		t.Errorf("%.300s", diff)
	}
}

func TestP11_TheCallLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, CallSpec)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "you said "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(echo.Close)
	c := caller(t)
	c.Log = NewCallLog(db, slog.New(slog.DiscardHandler), time.Now)
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", echo.URL)
	send(t, c, ch, outbound("good morning"))
	if c.Log.flush(t.Context()) {
		t.Error("one call is no full batch")
	}
	calls, err := Calls(t.Context(), db, "acme", "a1")
	if err != nil || len(calls) != 1 {
		t.Fatalf("%d calls, %v", len(calls), err)
	}
	got := calls[0]
	if got.Status != 200 || got.URL != echo.URL+"/send" || !strings.Contains(got.Body, "good morning") || got.Answer != "you said Bearer [secret]" {
		t.Errorf("%+v", got)
	}
	docs, _, _, err := c.Log.docs.Query(t.Context(), store.Query{Where: []store.Eq{{Field: "tenant", Value: "acme"}}, Limit: 2})
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	raws, err := db.Get(t.Context(), CallSpec.Name, docs[0].ID)
	if err != nil || bytes.Contains(raws[0].JSON, []byte(gatewaytest.APIToken)) {
		t.Errorf("%s %v", raws[0].JSON, err)
	}
	if others, _ := Calls(t.Context(), db, "other", "a1"); len(others) != 0 {
		t.Error("another tenant sees the calls")
	}
}

func TestAFullCallLogSlowsNoSend(t *testing.T) {
	t.Parallel()
	l := NewCallLog(storetest.New(t, CallSpec), slog.New(slog.DiscardHandler), time.Now)
	for range callsQueue + 100 {
		l.add(entry{about: About{Attempt: "a"}})
	}
	if n := len(l.queue); n != callsQueue {
		t.Errorf("%d wait", n)
	}
}

func TestCredentialsGoOnlyToHostsThatTheTypeNames(t *testing.T) {
	t.Parallel()
	c := caller(t)
	c.Adapter = channel.Guard(gatewaytest.Toy{Kind: event.Telegram, Edit: func(i *channel.Info) { i.Inbound.MediaHosts = []string{"api.example.com", "*.cdn.example"} }})
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", "http://127.0.0.1:4711").Channel
	for url, want := range map[string]bool{
		"https://api.example.com/f": true, "http://api.example.com/f": false, "https://eu.cdn.example/f": true, "https://cdn.example/f": false,
		"https://evilcdn.example/f": false, "https://api.example.com.evil/f": false, "http://127.0.0.1:4711/f": true, "http://127.0.0.1:4712/f": false,
		"https://evil/?api.example.com": false, "https://api.example.com@evil/": false, "://": false,
	} {
		if got := c.trusts(ch, url); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
}

// settingUp is a toy that can be told its webhook's URL.
type settingUp struct {
	gatewaytest.Toy
	url string
}

func (s settingUp) SetupRequests(_ channel.Keyed, webhookURL string) ([]channel.Request, error) {
	return []channel.Request{{Method: "POST", URL: s.url + "/one", Body: []byte(webhookURL)}, {Method: "POST", URL: s.url + "/two"}, {Method: "POST", URL: s.url + "/three"}}, nil
}

// refusing says no with a status of success.
type refusing struct{ settingUp }

func (refusing) ParseSetup(resp channel.Response) error {
	if string(resp.Body) != "yes" {
		return fault.New(fault.Denied, channel.CodeCredentials, "the provider says %s", resp.Body)
	}
	return nil
}

func TestSetupReadsAnswersOfProvidersThatRefuseWithSuccess(t *testing.T) {
	t.Parallel()
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, map[bool]string{true: "yes", false: "no"}[r.URL.Path == "/one"])
	}))
	t.Cleanup(p.Close)
	c := caller(t)
	c.Adapter = channel.Guard(refusing{settingUp{gatewaytest.Toy{Kind: event.Telegram}, p.URL}})
	got, err := c.Setup(t.Context(), gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL), "https://gw.example/webhooks/telegram/ch_a")
	if err != nil || got.OK || len(got.Calls) != 2 || got.Calls[1].Error == nil || got.Calls[1].Error.Code != channel.CodeCredentials {
		t.Errorf("%+v %v", got, err)
	}
}

func TestSetupStopsAtTheFirstRefusalAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	seen := []string{}
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen = append(seen, r.URL.Path+" "+string(b))
		if r.URL.Path == "/two" {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, "not with "+r.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(p.Close)
	c := caller(t)
	ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", p.URL)
	if got, err := c.Setup(t.Context(), ch, "https://gw.example/webhooks/telegram/ch_a"); err != nil || !got.OK || len(got.Calls) != 0 {
		t.Errorf("nothing to set up: %+v %v", got, err)
	}
	c.Adapter = channel.Guard(settingUp{gatewaytest.Toy{Kind: event.Telegram}, p.URL})
	got, err := c.Setup(t.Context(), ch, "https://gw.example/webhooks/telegram/ch_a")
	if err != nil || got.OK || len(got.Calls) != 2 || got.Calls[1].Status != 403 || got.Calls[1].Answer != "not with Bearer [secret]" || got.Calls[1].Error == nil {
		t.Errorf("%+v %v", got, err)
	}
	if diff := cmp.Diff([]string{"/one https://gw.example/webhooks/telegram/ch_a", "/two "}, seen); diff != "" {
		t.Error(diff)
	}
}
