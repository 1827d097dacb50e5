package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/embedded"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is what the replicas of a service share: broker, store, Redis, blobs, and the provider.
type site struct {
	t        *testing.T
	broker   *bustest.Bus
	db       store.DB
	redis    string
	blobs    *blob.Store
	client   *egress.Client
	sealer   *auth.Sealer
	provider *gatewaytest.Provider
	ch       channel.Keyed
	toy      gatewaytest.Toy
	opts     []gateway.Option // of every replica
}

func newSite(t *testing.T, script func(gatewaytest.Sending, int) gatewaytest.Answer) *site {
	t.Helper()
	s := emptySite(t, script)
	s.configure(s.ch)
	return s
}

// emptySite has no channel yet.
func emptySite(t *testing.T, script func(gatewaytest.Sending, int) gatewaytest.Answer) *site {
	t.Helper()
	s := &site{t: t, broker: bustest.New(t), db: storetest.New(t, append(directory.Others, directory.Specs...)...), blobs: gatewaytest.Blobs(t),
		client: gatewaytest.Egress(t), provider: gatewaytest.NewProvider(t, script), toy: gatewaytest.Toy{Kind: event.Telegram}}
	redis, err := embedded.StartRedis(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	s.redis = redis.URL()
	if s.sealer, err = auth.NewSealer(bytes.Repeat([]byte("k"), 32)); err != nil {
		t.Fatal(err)
	}
	s.ch = gatewaytest.Channel(event.Telegram, "ch_a", "acme", s.provider.URL)
	return s
}

// configure stores a channel as service admin does.
func (s *site) configure(ch channel.Keyed) {
	doc := &directory.Channel{Type: ch.Type, Name: ch.Name, Enabled: true, Settings: ch.Settings, Sealed: map[string][]string{}, Version: 1, Claims: []string{},
		Verify: directory.VerifyHash(ch.Secrets.Current("verify_token"))}
	doc.ID, doc.Tenant = ch.ID, ch.Tenant
	for k, vs := range ch.Secrets {
		doc.Sealed[k] = []string{s.sealer.Seal(vs[0], ch.Tenant, ch.ID, k)}
	}
	if err := store.NewCollection[directory.Channel](s.db, directory.Channels).Insert(s.t.Context(), doc); err != nil {
		s.t.Fatal(err)
	}
}

// replica is one process of the service.
type replica struct {
	url  string
	stop func()
}

func (s *site) start(opts ...gateway.Option) *replica {
	s.t.Helper()
	b := s.broker.Broker.Open(s.t)
	c, err := cache.Open(s.redis)
	if err != nil {
		s.t.Fatal(err)
	}
	d := directory.New(s.db, b, s.sealer, time.Now)
	who, err := auth.NewAuthenticator(d, bytes.Repeat([]byte("k"), 32), nil, time.Now)
	if err != nil {
		s.t.Fatal(err)
	}
	p := run.Process{
		Env: run.Env{Config: (&config.Config{ShutdownDrain: 10 * time.Second}).With(&gateway.Settings{}), Log: slog.New(slog.DiscardHandler), Bus: b, DB: s.db, Cache: c, Blob: s.blobs, Egress: s.client,
			Directory: d, Auth: who, Sealer: s.sealer, PublicURL: "http://gateway.example", Now: time.Now},
		Metrics: http.NotFoundHandler(), Public: listen(s.t), Admin: listen(s.t),
	}
	up := make(chan struct{})
	p.Started = func() { close(up) }
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- p.Run(ctx, gateway.Service(s.toy, append(opts, s.opts...)...)) }()
	select {
	case <-up:
	case err := <-over:
		s.t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-over; err != nil {
			s.t.Error(err)
		}
		_ = c.Close()
		_ = b.Close()
	})
	s.t.Cleanup(stop)
	return &replica{url: "http://" + p.Public.Addr().String(), stop: stop}
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// post sends a signed webhook.
func (s *site) post(r *replica, events ...event.Inbound) (int, string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, r.url+"/webhooks/telegram/"+s.ch.ID, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("X-Toy-Signature", gatewaytest.Sign(s.ch, body))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// read returns everything that is on a topic, by event id, each once, in the order of its partition.
func (s *site) read(topic string) (out []bus.Message) {
	s.t.Helper()
	seen := map[string]bool{}
	for p, end := range insist(s.t, func() (map[int]int64, error) { return s.broker.Ends(s.t.Context(), topic) }) {
		for at := int64(0); at < end; {
			for _, m := range insist(s.t, func() ([]bus.Message, error) { return s.broker.ReadFrom(s.t.Context(), topic, p, at, 1000) }) {
				at = m.Offset + 1
				if !seen[m.Event.ID] {
					seen[m.Event.ID] = true
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// insist asks a broker that may just have come back.
func insist[T any](t *testing.T, ask func() (T, error)) (v T) {
	t.Helper()
	var err error
	bustest.Eventually(t, "the broker answers", func() bool { v, err = ask(); return err == nil })
	return v
}

// order sends messages, as inbox does.
func (s *site) order(msgs ...event.Outbound) {
	s.t.Helper()
	var recs []event.Record
	for _, m := range msgs {
		recs = append(recs, event.Record{Topic: event.TopicOutbound(event.Telegram), Key: s.key(m), Lane: event.Key(m.ChannelID, m.Peer),
			Event: event.New("evt_"+m.AttemptID, event.MessageSend, "inbox", "acme", m.MessageID, event.At(time.Now()), m)})
	}
	if err := s.broker.Publish(s.t.Context(), recs...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) key(m event.Outbound) string {
	if s.toy.Info().Session {
		return event.Key(m.ChannelID)
	}
	return event.Key(m.ChannelID, m.Peer)
}

func text(peer, id, text string) event.Outbound {
	return event.Outbound{MessageID: "msg_" + id, AttemptID: id, Attempt: 1, ChannelID: "ch_a", ChannelType: event.Telegram, Peer: peer,
		Content: event.Content{Type: event.Text, Text: text}, CreatedAt: event.At(time.Now())}
}

// results are the words said about each part.
func (s *site) results() map[string][]event.DeliveryStatus {
	out := map[string][]event.DeliveryStatus{}
	for _, m := range s.read(event.TopicReceipts) {
		r, err := event.Decode[event.SendResult](m.Event)
		if err == nil && m.Event.Type == event.SendSettled {
			id := fmt.Sprintf("%s/%d", r.AttemptID, r.Part)
			out[id] = append(out[id], r.Status)
		}
	}
	return out
}

func TestTextInAndTextOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	r := s.start()
	picture := event.Inbound{Type: event.MessageReceived, Ref: "m2", Peer: "ann", Content: &event.Content{Type: event.Image,
		Attachments: []event.Attachment{{Type: event.Image, URL: s.provider.URL + "/nothing-there"}}}}
	hello := event.Inbound{Type: event.MessageReceived, Ref: "m1", Peer: "ann", Content: &event.Content{Type: event.Text, Text: "hello"}}
	if code, answer := s.post(r, hello, picture); code != 200 {
		t.Fatalf("%d %s", code, answer)
	}
	s.order(text("ann", "a0", "hello yourself"), text("ann", "a1", "one\n--\ntwo"))
	bustest.Eventually(t, "everything is said", func() bool {
		return len(s.results()) == 3 && len(s.read(event.TopicInbound)) == 3
	})
	var kinds []event.Type
	for _, m := range s.read(event.TopicInbound) {
		kinds = append(kinds, m.Event.Type)
	}
	if diff := cmp.Diff([]event.Type{event.MessageReceived, event.MessageReceived, event.AttachmentFailed}, kinds); diff != "" {
		t.Errorf("inbound -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a0/0", "a1/0", "a1/1"}, s.provider.Order("ann")); diff != "" {
		t.Errorf("outbound -want +got\n%s", diff)
	}
	if n := len(s.read(event.TopicWebhooks)); n != 1 {
		t.Errorf("%d journal records", n)
	}
}

func TestP3_SixteenTimesTheSameWebhookIsOneEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	a, b := s.start(), s.start()
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			to := map[bool]*replica{true: a, false: b}[n%2 == 0]
			if code, answer := s.post(to, event.Inbound{Type: event.MessageReceived, Ref: "m1", Peer: "ann", Content: &event.Content{Type: event.Text, Text: "x"}}); code != 200 {
				t.Errorf("%d %s", code, answer)
			}
		})
	}
	all.Wait()
	if got := s.read(event.TopicInbound); len(got) != 1 {
		t.Errorf("%d events", len(got))
	}
	if got := s.read(event.TopicWebhooks); len(got) != 16 {
		t.Errorf("%d calls in the journal", len(got))
	}
}

func TestP1_ABrokerThatIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	r := s.start()
	in := func(n int) event.Inbound {
		return event.Inbound{Type: event.MessageReceived, Ref: fmt.Sprint("m", n), Peer: "ann", Content: &event.Content{Type: event.Text, Text: "x"}}
	}
	s.post(r, in(0))
	s.broker.Broker.Cut()
	if code, _ := s.post(r, in(1)); code != 503 {
		t.Errorf("%d, want 503", code)
	}
	s.broker.Broker.Heal()
	bustest.Eventually(t, "it is taken again", func() bool { code, _ := s.post(r, in(1)); return code == 200 })
	if got := s.read(event.TopicInbound); len(got) != 2 {
		t.Errorf("%d events", len(got))
	}
}

func TestP7_P13_RebalancesSendNothingTwiceAndLoseNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(x gatewaytest.Sending, call int) gatewaytest.Answer {
		var peer, n int
		if _, err := fmt.Sscanf(x.ID, "a%d-%d/", &peer, &n); err == nil && peer == n && call == 1 {
			return gatewaytest.Answer{Status: 503} // these wait, and may change their owner while they do; never five in a row, which would shut the channel
		}
		return gatewaytest.Answer{}
	})
	const peers, each = 10, 12
	first := s.start()
	for n := range each {
		var batch []event.Outbound
		for p := range peers {
			batch = append(batch, text(fmt.Sprint("p", p), fmt.Sprintf("a%d-%d", p, n), "x"))
		}
		s.order(batch...)
		switch n {
		case 3:
			s.start() // joins
		case 7:
			first.stop() // leaves, with work under way
		}
	}
	bustest.Eventually(t, "every message has a result", func() bool { return len(s.results()) == peers*each })
	for id, said := range s.results() {
		if diff := cmp.Diff([]event.DeliveryStatus{event.Accepted}, said); diff != "" || s.provider.Taken(id) != 1 {
			t.Errorf("%s arrived %d times, said %v", id, s.provider.Taken(id), said)
		}
	}
	for p := range peers {
		var want []string
		for n := range each {
			want = append(want, fmt.Sprintf("a%d-%d/0", p, n))
		}
		if diff := cmp.Diff(want, s.provider.Order(fmt.Sprint("p", p))); diff != "" {
			t.Errorf("order to p%d -want +got\n%s", p, diff)
		}
	}
}

// A reply handle goes in with a message and out with the answer that has taken it.
func TestAReplyHandleInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	r := s.start()
	if code, answer := s.post(r, event.Inbound{
		Type: event.MessageReceived, Ref: "m1", Peer: "ann", ExternalID: "m1", Content: &event.Content{Type: event.Text, Text: "hello"},
		ReplyHandle: &event.ReplyHandle{Token: "tok-1", Until: event.At(time.Now().Add(time.Hour)), Uses: 1},
	}); code != 200 {
		t.Fatalf("%d %s", code, answer)
	}
	in, err := event.Decode[event.Inbound](s.read(event.TopicInbound)[0].Event)
	if err != nil || in.ReplyHandle == nil {
		t.Fatalf("%+v %v: want the message with its handle", in, err)
	}
	out := text("ann", "a0", "hello yourself")
	out.ReplyHandle, out.ReplyUntil = in.ReplyHandle.Token, in.ReplyHandle.Until
	s.order(out)
	bustest.Eventually(t, "the answer is sent by the handle", func() bool { return s.provider.Handles()["tok-1"] == 1 })
}
