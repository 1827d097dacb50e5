package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// recorder is a bus that remembers what was published, and can be away or frozen.
type recorder struct {
	storetest.Publisher
	freeze chan struct{} // while not nil, Publish hangs until its context ends
}

func (r *recorder) Publish(ctx context.Context, recs ...event.Record) error {
	if r.freeze != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.freeze:
		}
	}
	return r.Publisher.Publish(ctx, recs...)
}

// PartitionOf tells of the only partition that there is.
func (r *recorder) PartitionOf(context.Context, string, string) (int, error) { return 0, nil }

// ReadFrom reads the topic, which has one partition.
func (r *recorder) ReadFrom(_ context.Context, topic string, partition int, offset int64, limit int) ([]bus.Message, error) {
	if partition != 0 || offset < 0 {
		return nil, fault.New(fault.Unavailable, "unavailable", "there is no such partition")
	}
	var out []bus.Message
	n := int64(0)
	for _, rec := range r.Records() {
		if rec.Topic != topic {
			continue
		}
		if n >= offset && len(out) < limit {
			out = append(out, bus.Message{Topic: topic, Offset: n, Key: rec.Key, Event: rec.Event})
		}
		n++
	}
	return out, nil
}

type rig struct {
	*Ingress
	bus      *recorder
	channels *gatewaytest.Channels
	blobs    *blob.Store
	ch       channel.Keyed
	http     http.Handler
	log      *bytes.Buffer
}

func newRig(t *testing.T, edit func(*channel.Info), change ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{bus: &recorder{}, blobs: gatewaytest.Blobs(t), log: &bytes.Buffer{}, ch: gatewaytest.Channel(event.Telegram, "ch_a", "acme", "")}
	other := gatewaytest.Channel(event.Telegram, "ch_b", "acme", "")
	off := gatewaytest.Channel(event.Telegram, "ch_off", "acme", "")
	off.Enabled = false
	r.channels = gatewaytest.NewChannels(r.ch, other, off, gatewaytest.Channel(event.Line, "ch_line", "acme", ""), gatewaytest.Channel(event.Telegram, "ch_x", "other", ""))
	d := Deps{
		Adapter: channel.Guard(gatewaytest.Toy{Kind: event.Telegram, Edit: edit}), Source: "telegram", PublicURL: "https://gw.example", Channels: r.channels, Bus: r.bus,
		DB: storetest.New(t, Specs(event.Telegram)...), Blobs: r.blobs, Now: time.Now, Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Limits: Limits{Publish: 200 * time.Millisecond, Spool: time.Second},
	}
	for _, c := range change {
		c(&d)
	}
	r.Ingress = New(d)
	e := httpapi.New()
	r.Routes(e)
	r.http = e
	return r
}

func (r *rig) post(path string, ch channel.Keyed, body []byte) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("X-Toy-Signature", gatewaytest.Sign(ch, body))
	req.Header.Set("X-Toy-Pass", "pass-phrase")
	req.Header.Set("Authorization", "Basic abc")
	return r.do(req)
}

func (r *rig) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.http.ServeHTTP(w, req)
	return w
}

func body(t *testing.T, v map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func message(ref, text string) event.Inbound {
	return event.Inbound{Type: event.MessageReceived, Ref: ref, Peer: "peer|1", ExternalID: ref, Content: &event.Content{Type: event.Text, Text: text}}
}

func events(es ...event.Inbound) map[string]any { return map[string]any{"events": es} }

func types(recs []event.Record) (out []string) {
	for _, r := range recs {
		out = append(out, r.Topic+" "+r.Key+" "+string(r.Event.Type))
	}
	return out
}

func TestP1_EverythingIsPublishedInOneStepBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	picture := message("m2", "")
	picture.Content.Attachments = []event.Attachment{{Type: event.Image, MediaRef: "media-1"}, {Type: event.Image, URL: "https://cdn.example/2"}}
	read := event.Inbound{Type: event.ReceiptWatermark, Ref: "r1", Peer: "peer|1", Receipt: &event.Receipt{Status: event.Read}}
	calls := 0
	r.bus.Fail(func([]event.Record) error { calls++; return nil })
	w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, map[string]any{"events": []event.Inbound{message("m1", "one"), picture, read}, "reply": "thanks"}))
	if w.Code != 200 || w.Body.String() != "thanks" || calls != 1 {
		t.Fatalf("%d %q after %d publishes", w.Code, w.Body, calls)
	}
	att := func(i string) string {
		return event.DeriveID("att", "acme", "ch_a", string(event.MessageReceived), "m2", i)
	}
	want := []string{
		"tributary.webhooks ch_a webhook.received", `tributary.inbound ch_a|peer\|1 message.received`, `tributary.inbound ch_a|peer\|1 message.received`,
		"tributary.media.telegram " + att("0") + " media.wanted", "tributary.media.telegram " + att("1") + " media.wanted",
		`tributary.receipts ch_a|peer\|1 receipt.watermark`,
	}
	if diff := cmp.Diff(want, types(r.bus.Records())); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got, err := event.Decode[event.Inbound](r.bus.Records()[2].Event)
	if err != nil || got.Content.Attachments[0].State != event.Pending || got.Content.Attachments[0].ID != att("0") || got.ChannelID != "ch_a" || got.ReceivedAt.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if id := r.bus.Records()[1].Event.ID; id != event.DeriveID("evt", "acme", "ch_a", "message.received", "m1") {
		t.Errorf("id %s is not derived from what it is", id)
	}
	journal, err := event.Decode[event.Webhook](r.bus.Records()[0].Event)
	if err != nil || journal.Verdict != accepted || len(journal.Events) != 3 || len(journal.Body) == 0 {
		t.Errorf("journal %+v %v", journal, err)
	}
}

func TestP1_NoTwoHundredWithoutKafka(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*recorder){
		"away":   func(b *recorder) { b.Fail(func([]event.Record) error { return errors.New("away") }) },
		"frozen": func(b *recorder) { b.freeze = make(chan struct{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			fail(r.bus)
			w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m1", "one"))))
			if w.Code != 503 || w.Header().Get("Retry-After") == "" {
				t.Errorf("%d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
		})
	}
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

func TestForgedAndUnknownLearnNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := body(t, events(message("m1", "one")))
	other := gatewaytest.Channel(event.Telegram, "ch_b", "acme", "")
	cases := []struct {
		name, path string
		by         channel.Keyed
		want       int
	}{
		{"signed by another channel", "/webhooks/telegram/ch_a", other, 401},
		{"unknown channel", "/webhooks/telegram/ch_none", r.ch, 401},
		{"another type's channel", "/webhooks/telegram/ch_line", gatewaytest.Channel(event.Line, "ch_line", "acme", ""), 401},
		{"disabled channel", "/webhooks/telegram/ch_off", gatewaytest.Channel(event.Telegram, "ch_off", "acme", ""), 401},
	}
	same := ""
	for _, c := range cases {
		w := r.post(c.path, c.by, good)
		w.Header().Del("X-Request-Id")
		said := fmt.Sprint(w.Code, w.Header(), requestID.ReplaceAllString(w.Body.String(), ""))
		if same == "" {
			same = said
		}
		if said != same {
			t.Errorf("%s is answered\n%s\nand the first case\n%s", c.name, said, same)
		}
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if s := w.Body.String(); strings.Contains(s, gatewaytest.Sign(r.ch, good)) || strings.Contains(s, gatewaytest.Secret) {
			t.Errorf("%s: the answer says what was expected: %s", c.name, s)
		}
	}
	if w := r.post("/webhooks/telegram/ch_a", r.ch, []byte("panic in verify")); w.Code != 401 {
		t.Errorf("a call that makes Verify panic: %d", w.Code)
	}
	if n := len(r.bus.Records()); n != 0 {
		t.Errorf("%d records of calls that nobody proved", n)
	}
}

func TestDirectoryAwayIsNotForged(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.channels.Fail(fault.New(fault.Unavailable, "unavailable", "store away"))
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m1", "one")))); w.Code != 503 {
		t.Errorf("%d, want 503", w.Code)
	}
}

// frozen is a directory whose store does not answer.
type frozen struct{ *gatewaytest.Channels }

func (frozen) Channel(ctx context.Context, _ string) (channel.Keyed, error) {
	<-ctx.Done()
	return channel.Keyed{}, ctx.Err()
}

func TestAFrozenStoreHoldsNoAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, func(d *Deps) { d.Channels, d.Limits.Request = frozen{}, 100*time.Millisecond })
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m1", "one")))); w.Code != 503 {
		t.Errorf("%d, want 503", w.Code)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(i *channel.Info) { i.Inbound.MaxBody = 1000 })
	long := bytes.Repeat([]byte("x"), 1001)
	if w := r.post("/webhooks/telegram/ch_a", r.ch, long); w.Code != 413 {
		t.Errorf("announced: %d", w.Code)
	}
	unread := &countingReader{Reader: bytes.NewReader(bytes.Repeat([]byte("x"), 10<<20))}
	req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_none", unread)
	req.ContentLength = -1
	if w := r.do(req); w.Code != 413 || unread.n > 64<<10 {
		t.Errorf("unannounced, unknown channel: %d after %d bytes", w.Code, unread.n)
	}
	if n := r.gate.bytes.Load() + r.arrived.sum; n != 0 || r.arrived.open.Len() != 0 {
		t.Errorf("%d bytes of %d bodies are still counted", n, r.arrived.open.Len())
	}
}

type countingReader struct {
	*bytes.Reader
	n int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

func TestP2_WhatNobodyUnderstandsIsJournaledAndReplayed(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{`{"events": "not a list"}`, "panic in parse"} {
		r := newRig(t, nil)
		if w := r.post("/webhooks/telegram/ch_a", r.ch, []byte(hostile)); w.Code != 200 {
			t.Fatalf("%q: %d", hostile, w.Code)
		}
		recs := r.bus.Records()
		j, err := event.Decode[event.Webhook](recs[0].Event)
		if len(recs) != 1 || err != nil || j.Verdict != unparsable || j.Reason == "" || string(j.Body) != hostile {
			t.Errorf("%d records, %+v, %v", len(recs), j, err)
		}
	}
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for path, want := range map[string]int{
		"/webhooks/telegram/ch_a?hub.challenge=42&hub.verify_token=v3rify-mech_a": 200,
		"/webhooks/telegram/ch_a?hub.challenge=42&hub.verify_token=v3rify-mech_b": 401,
		"/webhooks/telegram?hub.challenge=42&hub.verify_token=v3rify-mech_b":      200,
		"/webhooks/telegram?hub.challenge=42&hub.verify_token=wrong":              401,
		"/webhooks/telegram?hub.challenge=42":                                     401,
	} {
		w := r.do(httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want || want == 200 && w.Body.String() != "42" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	for _, rec := range r.bus.Records() {
		if strings.Contains(string(rec.Event.Data), gatewaytest.Verify) || !strings.Contains(string(rec.Event.Data), handshake) {
			t.Errorf("journal of a handshake: %s", rec.Event.Data)
		}
	}
}

// A call that is answered with a body and gives no event is no handshake: it is journaled whole, to be read again.
func TestAnAnsweredCallThatIsNoHandshakeIsJournaledWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	const body = `{"events":[],"reply":"it was understood"}`
	req := httptest.NewRequest(http.MethodPost, "/webhooks/telegram/ch_a?batch=7", strings.NewReader(body))
	req.Header.Set("X-Toy-Signature", gatewaytest.Sign(gatewaytest.Channel(event.Telegram, "ch_a", "acme", ""), []byte(body)))
	if w := r.do(req); w.Code != 200 || w.Body.String() != "it was understood" {
		t.Fatalf("%d %q", w.Code, w.Body)
	}
	recs := r.bus.Records()
	j, err := event.Decode[event.Webhook](recs[0].Event)
	if len(recs) != 1 || err != nil || j.Verdict != ignored || string(j.Body) != body || j.Query["batch"][0] != "7" {
		t.Errorf("%d records, %+v, %v", len(recs), j, err)
	}
}

func TestAppLevelCallsAreProvedChannelByChannel(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	stranger := gatewaytest.Channel(event.Telegram, "ch_x", "other", "")
	b, c := message("m1", "to b"), message("m2", "to x")
	b.ChannelID, c.ChannelID = "ch_b", "ch_x"
	payload := body(t, map[string]any{"account": []string{"acct_ch_b", "acct_ch_x", "acct_nobody"}, "events": []event.Inbound{b, c}})
	if w := r.post("/webhooks/telegram", stranger, payload); w.Code != 200 {
		t.Fatalf("%d", w.Code)
	}
	recs := r.bus.Records()
	want := []string{"tributary.webhooks ch_x webhook.received", `tributary.inbound ch_x|peer\|1 message.received`}
	if diff := cmp.Diff(want, types(recs)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if j, _ := event.Decode[event.Webhook](recs[0].Event); j.Dropped["forged"] != 1 {
		t.Errorf("dropped %v", j.Dropped)
	}
	if w := r.post("/webhooks/telegram", r.ch, payload); w.Code != 401 {
		t.Errorf("proved for none: %d", w.Code)
	}
	if w := r.post("/webhooks/telegram", r.ch, body(t, map[string]any{"account": []string{"nobody"}})); w.Code != 401 {
		t.Errorf("naming none: %d", w.Code)
	}
}

func TestP11_JournalAndLogsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.post("/webhooks/telegram/ch_a/suffix?access_token=q-secret&plain=1", r.ch, body(t, events(message("m1", "private words"))))
	j, err := event.Decode[event.Webhook](r.bus.Records()[0].Event)
	if err != nil {
		t.Fatal(err)
	}
	if j.Path != "/suffix" || j.Header["X-Toy-Pass"][0] != redacted || j.Header["Authorization"][0] != redacted || j.Query["access_token"][0] != redacted || j.Query["plain"][0] != "1" {
		t.Errorf("%+v", j)
	}
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m2", "private words"))))
	for _, secret := range []string{"q-secret", "pass-phrase", gatewaytest.Secret, "private words"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, r.log)
		}
	}
}

func TestGateBoundsCallsBytesAndBacklog(t *testing.T) {
	t.Parallel()
	full := int64(0)
	r := newRig(t, nil, func(d *Deps) {
		d.Limits.Calls, d.Limits.Bytes = 1, 2000
		d.Backlog = func(string) int64 { return full }
		now := time.Unix(1700000000, 0)
		d.Now = func() time.Time { now = now.Add(time.Second); return now }
	})
	small := body(t, events(message("m1", "one")))
	leave, err := r.gate.enter(0)
	if err != nil {
		t.Fatal(err)
	}
	if w := r.post("/webhooks/telegram/ch_a", r.ch, small); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("no place: %d", w.Code)
	}
	leave()
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(message("m2", strings.Repeat("x", 3000))))); w.Code != 503 {
		t.Errorf("too many bytes: %d", w.Code)
	}
	if w := r.post("/webhooks/telegram/ch_a", r.ch, small); w.Code != 200 {
		t.Errorf("room again: %d", w.Code)
	}
	full = 513e6
	if w := r.post("/webhooks/telegram/ch_a", r.ch, small); w.Code != 503 {
		t.Errorf("backlog: %d", w.Code)
	}
	if _, err := r.Deliver(t.Context(), r.ch, channel.Inbound{Body: small, Pulled: true}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("backlog, of a source: %v, want unavailable", err)
	}
	full = 0
	if _, err := r.Deliver(t.Context(), r.ch, channel.Inbound{Body: small, Pulled: true}); err != nil {
		t.Errorf("room again, of a source: %v", err)
	}
}

// What a provider writes in another charset reaches nobody as it is: what consumers read is UTF-8.
func TestWhatIsNoUTF8GoesOnAsUTF8(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	body := []byte(`{"events":[{"type":"message.received","ref":"m1","peer":"p","external_id":"m1","raw":{"a":"caf` + "\xe9" + `"},"content":{"type":"interactive",` +
		`"text":"caf` + "\xe9" + `","raw":{"b":"` + "\xc4\xe3" + `"},"interaction":{"kind":"flow","data":{"c":"` + "\xed\xa0\x80" + `"}}}}]}`)
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body); w.Code != 200 {
		t.Fatal(w.Code)
	}
	said := r.bus.Topic(event.TopicInbound)
	if len(said) != 1 || !utf8.Valid(said[0].Data) || !json.Valid(said[0].Data) {
		t.Errorf("published %q", said)
	}
}

func TestLargeThingsGoToTheBlobStore(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	long := message("m1", strings.Repeat("ä", 100<<10))
	long.Raw = json.RawMessage(`"` + strings.Repeat("r", 100<<10) + `"`)
	huge := message("m3", "x")
	huge.Content.Interaction = &event.Interaction{Kind: "form", Data: json.RawMessage(`"` + strings.Repeat("d", 500<<10) + `"`)}
	inline := message("m2", "")
	inline.Content.Attachments = []event.Attachment{{Type: event.Document, URL: "inline:hello"}, {Type: event.Document, URL: "inline:"}}
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(long, inline, huge))); w.Code != 200 {
		t.Fatal(w.Code)
	}
	recs := r.bus.Records()
	for _, rec := range recs {
		if len(rec.Event.Data) > 512<<10 {
			t.Errorf("%s has %d bytes", rec.Event.Type, len(rec.Event.Data))
		}
	}
	j, _ := event.Decode[event.Webhook](recs[0].Event)
	if kept, err := r.kept(t.Context(), recs[0].Event.Tenant, j.BodyBlob); len(j.Body) != 0 || err != nil || !bytes.Contains(kept, []byte("ä")) {
		t.Errorf("journal body: %q %v", j.BodyBlob, err)
	}
	got, _ := event.Decode[event.Inbound](recs[1].Event)
	whole, err := r.kept(t.Context(), recs[0].Event.Tenant, got.Content.Attachments[0].Blob)
	if err != nil || string(whole) != strings.Repeat("ä", 100<<10) || len(got.Content.Text) > maxText+4 || !strings.HasPrefix(got.Content.Text, "ää") {
		t.Errorf("long text: %+v %v", got.Content.Attachments, err)
	}
	if !strings.HasPrefix(string(got.Raw), `{"blob":`) {
		t.Errorf("raw %.40s", got.Raw)
	}
	pic, _ := event.Decode[event.Inbound](recs[3].Event)
	a := pic.Content.Attachments[0]
	if bytes, err := r.kept(t.Context(), recs[0].Event.Tenant, a.Blob); err != nil || string(bytes) != "hello" || a.State != event.Ready || a.Size != 5 || a.URL != "" {
		t.Errorf("%+v %v", a, err)
	}
	if b := pic.Content.Attachments[1]; b.State != event.Ready || b.Size != 0 || b.Blob == "" {
		t.Errorf("an empty file: %+v", b)
	}
	for n, want := range map[int]event.Attachment{2: got.Content.Attachments[0], 4: a, 5: pic.Content.Attachments[1]} { // whoever serves files hears of these too
		said, _ := event.Decode[event.Attached](recs[n].Event)
		if recs[n].Event.Type != event.AttachmentReady || recs[n].Topic != event.TopicInbound || recs[n].Key != recs[1].Key || !cmp.Equal(said.Attachment, want) || said.ChannelID != "ch_a" {
			t.Errorf("record %d: %+v", n, recs[n])
		}
	}
	folded, _ := event.Decode[event.Inbound](recs[6].Event)
	if folded.Ref != "m3" || folded.Content.Type != event.Unsupported || !strings.HasPrefix(string(folded.Raw), `{"blob":`) {
		t.Errorf("%+v", folded)
	}
	if len(recs) != 7 {
		t.Errorf("%v", types(recs))
	}
	large := &event.Attachment{Type: event.Image, Bytes: make([]byte, r.info.Inbound.MaxMedia+1)}
	if err := r.unpack(t.Context(), r.ch, large); err != nil || large.State != event.Lost || large.Error.Code != "media_too_large" || large.Bytes != nil {
		t.Errorf("a file that is too large: %v %+v", err, large.Error)
	}
	_ = r.blobs.Close()
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(long))); w.Code != 503 {
		t.Errorf("blob store away: %d", w.Code)
	}
}
