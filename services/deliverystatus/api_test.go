package deliverystatus

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

type world struct {
	*testing.T
	env     *run.Env
	handler http.Handler
	spec    *httpapi.Spec
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	secret := slices.Repeat([]byte("k"), 32)
	sealer, err := auth.NewSealer(secret)
	w.ok(err)
	b := bustest.New(t)
	db := storetest.New(t, append(directory.Others, directory.Specs...)...)
	dir := directory.New(db, b, sealer, time.Now)
	authn, err := auth.NewAuthenticator(dir, secret, nil, time.Now)
	w.ok(err)
	w.env = &run.Env{
		Config: &config.Config{EncryptionKey: base64.StdEncoding.EncodeToString(secret)}, Log: slog.New(slog.DiscardHandler),
		Bus: b, DB: db, Directory: dir, Auth: authn, Sealer: sealer, Now: func() time.Time { return epoch.Time.Add(time.Minute) },
	}
	parts, err := New(t.Context(), w.env)
	w.ok(err)
	e := httpapi.New()
	parts.Routes(e)
	w.handler = e
	w.spec, err = httpapi.LoadSpec(openapi)
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// key is an API key of a tenant with these permissions.
func (w *world) key(tenant string, scopes ...auth.Permission) string {
	w.Helper()
	id, text, hash := auth.NewAPIKey()
	k := &directory.APIKey{Name: "k", Hash: hash, Scopes: scopes, Version: 1}
	k.ID, k.Tenant = "key_"+id, tenant
	w.ok(store.NewCollection[directory.APIKey](w.env.DB, directory.APIKeys).Insert(w.Context(), k))
	return text
}

func (w *world) call(key, method, path, body string, status int, out any) string {
	w.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body)).WithContext(w.Context())
	req.Header.Set("Authorization", "Bearer "+key)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	if rec.Code != status {
		w.Fatalf("%s %s: %d %s, want %d", method, path, rec.Code, rec.Body, status)
	}
	w.ok(w.spec.CheckResponse(req, rec.Code, rec.Header(), rec.Body.Bytes()))
	if out != nil {
		w.ok(json.Unmarshal(rec.Body.Bytes(), out))
	}
	return rec.Body.String()
}

type letters struct {
	Data      []struct{ ID, Topic, Reason string }
	Published []struct{ ID string }
	Skipped   []struct{ ID string }
	HasMore   bool `json:"has_more"`
}

// die publishes events that a subscription cannot handle, and waits until all are dead letters.
func (w *world) die(topic string, err error, events ...event.Event) {
	w.Helper()
	for _, e := range events {
		w.ok(w.env.Bus.Publish(w.Context(), event.Record{Topic: topic, Key: "secret-key", Event: e}))
	}
	before, e := bus.DeadLetters(w.Context(), w.env.Bus, bus.Filter{}, 1000)
	w.ok(e)
	stop := bustest.Run(w.T, w.env.Bus, bus.Subscription{
		Group: "undertaker-" + topic, Topics: []string{topic}, Patience: time.Millisecond, Handle: func(context.Context, bus.Message) error { return err },
	})
	bustest.Eventually(w.T, "the records are dead letters", func() bool {
		now, err := bus.DeadLetters(w.Context(), w.env.Bus, bus.Filter{}, 1000)
		return err == nil && len(now) >= len(before)+len(events)
	})
	stop()
}

func TestDeadLettersAreListedAndRedriven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	of := func(id, tenant string) event.Event {
		return event.New(id, event.ReceiptReceived, "whatsapp", tenant, "ch_1", epoch, map[string]string{"text": "private words"})
	}
	w.die(event.TopicReceipts, fault.New(fault.Invalid, "bad_event", "private words"), of("evt_1", "t1"), of("evt_2", "t1"), of("evt_3", "t2"))
	w.die(event.TopicInbound, errors.New("private words"), of("evt_4", "t1"))
	key, other := w.key("t1", auth.DeadLetters), w.key("t2", auth.All...)
	ids := func(query string) (out []string, more bool) {
		var l letters
		raw := w.call(key, "GET", "/v1/dead-letters"+query, "", 200, &l)
		if strings.Contains(raw, "private") || strings.Contains(raw, "secret-key") {
			t.Errorf("a list shows what a record says: %s", raw)
		}
		for _, d := range l.Data {
			out = append(out, d.ID)
		}
		slices.Sort(out)
		return out, l.HasMore
	}
	for query, want := range map[string]string{
		"": "evt_1 evt_2 evt_4", "?topic=" + event.TopicReceipts: "evt_1 evt_2", "?reason=exhausted": "evt_4", "?reason=poison": "evt_1 evt_2",
		"?reason=poison&topic=" + event.TopicInbound: "", "?reason=undecodable": "",
	} {
		if got, more := ids(query); strings.Join(got, " ") != want || more {
			t.Errorf("%q: %v (more: %t), want %s", query, got, more, want)
		}
	}
	if got, more := ids("?limit=1"); len(got) != 1 || !more {
		t.Errorf("%v, more: %t", got, more)
	}
	ends := func() (n int64) {
		e, err := w.env.Bus.Ends(t.Context(), event.TopicReceipts)
		w.ok(err)
		for _, x := range e {
			n += x
		}
		return n
	}
	start := ends()
	redrive := func(key, body string, want ...string) {
		t.Helper()
		var l letters
		w.call(key, "POST", "/v1/dead-letters/redrive", body, 200, &l)
		var got []string
		for _, p := range l.Published {
			got = append(got, p.ID)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	redrive(key, `{"reason":"poison","dry_run":true}`, "evt_1", "evt_2")
	redrive(key, `{"ids":["evt_3"]}`)
	redrive(other, `{"ids":["evt_1","evt_2"],"topic":"`+event.TopicReceipts+`"}`)
	if n := ends(); n != start {
		t.Errorf("%d records were published by calls that may not", n-start)
	}
	redrive(key, `{"ids":["evt_2","evt_3","evt_4"],"topic":"`+event.TopicReceipts+`"}`, "evt_2")
	redrive(other, `{"reason":"poison"}`, "evt_3")
	if n := ends(); n != start+2 {
		t.Errorf("%d records were published, want 2", n-start)
	}
	for _, body := range []string{`{}`, `{"dry_run":true}`, `{"reason":"sad"}`, `{"ids":[]}`, `{"topic":"x","limit":0}`, `{"what":1}`} {
		w.call(key, "POST", "/v1/dead-letters/redrive", body, 422, nil)
	}
	weak := w.key("t1", auth.Read)
	w.call(weak, "GET", "/v1/dead-letters", "", 403, nil)
	w.call(weak, "POST", "/v1/dead-letters/redrive", `{"reason":"poison"}`, 403, nil)
	w.call("nobody", "GET", "/v1/dead-letters", "", 401, nil)
}

func TestDeliveryStatsCountAttemptsByStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, tenant := range map[string]string{"ch_1": "t1", "ch_2": "t2"} {
		ch := &directory.Channel{Type: event.WhatsApp, Enabled: true, Version: 1}
		ch.ID, ch.Tenant = id, tenant
		w.ok(store.NewCollection[directory.Channel](w.env.DB, directory.Channels).Insert(t.Context(), ch))
	}
	j, _ := newJudge(t, w.env.DB, &storetest.Publisher{})
	for _, m := range []bus.Message{
		settled("try_1", 0, 1, event.Accepted, "m.1"), settled("try_2", 0, 1, event.Accepted, "m.2"), settled("try_3", 0, 1, event.Failed),
		reported("m.1", event.Delivered, ""), reported("m.1", event.Read, ""),
	} {
		w.ok(j.handle(t.Context(), m))
	}
	var got struct {
		Counts map[string]int
		Capped bool
	}
	key := w.key("t1", auth.ReportsRead)
	w.call(key, "GET", "/v1/delivery-stats?channel_id=ch_1", "", 200, &got)
	if got.Counts["read"] != 1 || got.Counts["accepted"] != 1 || got.Counts["failed"] != 1 || got.Counts["delivered"] != 0 || got.Capped {
		t.Errorf("%+v", got)
	}
	from, to := epoch.Add(time.Second).UTC().Format(time.RFC3339), epoch.Add(time.Hour).UTC().Format(time.RFC3339)
	w.call(key, "GET", "/v1/delivery-stats?channel_id=ch_1&from="+from+"&to="+to, "", 200, &got)
	if got.Counts["read"] != 0 {
		t.Errorf("outside of the time: %+v", got)
	}
	w.call(key, "GET", "/v1/delivery-stats?channel_id=ch_1&to="+from+"&from="+to, "", 422, nil)
	w.call(key, "GET", "/v1/delivery-stats", "", 422, nil)
	w.call(key, "GET", "/v1/delivery-stats?channel_id=ch_2", "", 404, nil)
	w.call(w.key("t1", auth.Send), "GET", "/v1/delivery-stats?channel_id=ch_1", "", 403, nil)
}
