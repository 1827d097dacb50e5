package gateway_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/session/sessiontest"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// lineSite is a site whose channel has a connection to a peer.
type lineSite struct {
	*site
	peer *sessiontest.Peer
}

func newLineSite(t *testing.T) *lineSite {
	t.Helper()
	s := &lineSite{site: emptySite(t, nil)}
	s.peer = sessiontest.NewPeer(t, s.ch.Secrets.Current("api_token"))
	s.toy.Edit = func(i *channel.Info) { i.Session = true; i.Send.Timeout = channel.Duration(time.Second) }
	s.opts = []gateway.Option{gateway.Sessions(sessiontest.Session{Idle: 300 * time.Millisecond}, sessiontest.Scheme)}
	s.ch.Settings["api_base_url"] = s.peer.URL()
	s.configure(s.ch)
	return s
}

// sent lists what reached a recipient, in order.
func (s *lineSite) sent(to string) (ids []string) {
	for _, body := range s.peer.Taken() {
		var x gatewaytest.Sending
		if json.Unmarshal([]byte(body), &x) == nil && x.To == to {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// bound waits until the peer has exactly one bind.
func (s *lineSite) bound() {
	s.t.Helper()
	bustest.Eventually(s.t, "the connection is open", func() bool { now, _, _ := s.peer.Binds(); return now == 1 })
}

// says lets the peer bring a message.
func (s *lineSite) says(ref string) *sessiontest.Push {
	s.t.Helper()
	b, err := json.Marshal(map[string]any{"events": []event.Inbound{{
		Type: event.MessageReceived, Ref: ref, Peer: "ann", Content: &event.Content{Type: event.Text, Text: "hello"}}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.peer.Push(b)
}

// change writes the channel's document, as service admin does, and lets every process know.
func (s *lineSite) change(f func(*directory.Channel)) {
	s.t.Helper()
	docs := store.NewCollection[directory.Channel](s.db, directory.Channels)
	doc, err := docs.Update(s.t.Context(), s.ch.ID, func(d *directory.Channel) error { d.Version++; f(d); return nil })
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.broker.Publish(s.t.Context(), event.Record{Topic: event.TopicConfig, Key: doc.ID, Event: event.New(fmt.Sprint("evt_cfg_", doc.Version), event.ConfigChanged,
		"admin", doc.Tenant, doc.ID, event.At(time.Now()), event.Config{Entity: directory.EntityChannel, ID: doc.ID, Version: doc.Version})})
	if err != nil {
		s.t.Fatal(err)
	}
}

// shown is what people see of the connection.
func (s *lineSite) shown() directory.Connection {
	d := directory.New(s.db, s.broker, s.sealer, time.Now)
	c, err := d.Connection(s.t.Context(), s.ch.Tenant, s.ch.ID)
	if err != nil || c == nil {
		return directory.Connection{}
	}
	return *c
}

func TestASessionSendsAndReceives(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	r := s.start()
	s.order(text("ann", "a0", "one\n--\ntwo"), text("bob", "b0", "x"))
	bustest.Eventually(t, "everything is said", func() bool { return len(s.results()) == 3 })
	hello := s.says("m1")
	bustest.Eventually(t, "it is acknowledged", hello.Acknowledged)
	if got := s.read(event.TopicInbound); len(got) != 1 {
		t.Errorf("%d events of one that was acknowledged", len(got))
	}
	if n := len(s.read(event.TopicWebhooks)); n != 1 {
		t.Errorf("%d journal records", n)
	}
	if diff := cmp.Diff([]string{"a0/0", "a0/1"}, s.sent("ann")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if c := s.shown(); c.State != directory.Connected || c.Version != 1 {
		t.Errorf("the connection is shown as %+v", c)
	}
	r.stop()
	if now, most, ever := s.peer.Binds(); now != 0 || most != 1 || ever != 1 || s.peer.Unbinds() != 1 {
		t.Errorf("binds: %d now, %d at most, %d ever, %d unbound in order", now, most, ever, s.peer.Unbinds())
	}
}

// last is the last word about every part.
func (s *lineSite) last() map[string]event.DeliveryStatus {
	out := map[string]event.DeliveryStatus{}
	for id, said := range s.results() {
		out[id] = said[len(said)-1]
	}
	return out
}

// What was written and not answered is unknown, and is not sent again; all else is sent once, over the next connection.
func TestP7_AConnectionThatIsCutAtEveryPoint(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	s.peer.Script(func(body []byte, call int) sessiontest.Act {
		var x gatewaytest.Sending
		_ = json.Unmarshal(body, &x)
		switch {
		case x.To == "arrived":
			return sessiontest.Act{Cut: true, Taken: true}
		case x.To == "lost":
			return sessiontest.Act{Cut: true}
		case x.To == "busy" && call == 1:
			return sessiontest.Act{Status: 503}
		case x.To == "limited" && call == 1:
			return sessiontest.Act{Status: 429, After: "0.05"}
		}
		return sessiontest.Act{}
	})
	s.start()
	s.bound()
	want := map[string]event.DeliveryStatus{}
	for n, to := range []string{"arrived", "idle", "lost", "busy", "limited", "answered"} {
		id := fmt.Sprint("m", n)
		if to == "idle" {
			s.bound()
			s.peer.Cut() // before anything is written
		}
		s.order(text(to, id, "x"))
		want[id+"/0"] = event.Accepted
		if to == "arrived" || to == "lost" {
			want[id+"/0"] = event.Unsure
		}
		bustest.Eventually(t, "it has a result", func() bool { return len(s.results()) == n+1 })
	}
	s.peer.Cut() // after the answers
	s.bound()
	if diff := cmp.Diff(want, s.last()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for to, n := range map[string]int{"arrived": 1, "lost": 0, "idle": 1, "busy": 1, "limited": 1, "answered": 1} {
		if got := s.sent(to); len(got) != n {
			t.Errorf("%s: arrived %d times, want %d", to, len(got), n)
		}
	}
	if _, most, _ := s.peer.Binds(); most != 1 {
		t.Errorf("%d binds at once", most)
	}
}

// Frames that are none end the connection, and only that.
func TestAPeerThatSendsNonsense(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	s.start()
	for n, raw := range [][]byte{{0xff, 0xff, 0xff, 0xff, 1, 2}, {0, 0, 0, 3, 'a', 'b', 'c'}, {0, 0, 0, 0}} {
		s.bound()
		s.peer.Raw(raw)
		bustest.Eventually(t, "it is opened again", func() bool { now, _, ever := s.peer.Binds(); return now == 1 && ever == n+2 })
	}
	s.order(text("ann", "a0", "x"))
	hello := s.says("m1")
	bustest.Eventually(t, "both ways work", func() bool { return s.last()["a0/0"] == event.Accepted && hello.Acknowledged() })
}

// A peer that reads nothing any more costs the calls under way, and is given up.
func TestAPeerThatStopsReading(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	s.start()
	s.bound()
	s.peer.Freeze(true)
	s.order(text("ann", "a0", "x"))
	bustest.Eventually(t, "the outcome is unknown", func() bool { return s.last()["a0/0"] == event.Unsure })
	s.order(text("ann", "a1", "x"))
	bustest.Eventually(t, "the connection is given up", func() bool { return s.shown().State == directory.Failing })
	s.peer.Freeze(false)
	bustest.Eventually(t, "what waited has a result", func() bool { return len(s.results()) == 2 })
}

func TestP1_P3_WhatWasNotAcknowledgedComesAgain(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	s.start()
	s.bound()
	s.broker.Broker.Cut()
	away := s.says("m1")
	bustest.Eventually(t, "the peer is told to come again, or the connection is given up with the partition", func() bool {
		now, _, _ := s.peer.Binds()
		return len(away.Answers()) > 0 || now == 0
	})
	if away.Acknowledged() {
		t.Fatal("acknowledged while the broker was away")
	}
	s.broker.Broker.Heal()
	bustest.Eventually(t, "it is taken", away.Acknowledged)
	s.peer.Deafen(2) // durable, and its acknowledgement is lost with the connection
	lost := s.says("m2")
	bustest.Eventually(t, "it is acknowledged in the end", lost.Acknowledged)
	if got := s.read(event.TopicInbound); len(got) != 2 {
		t.Errorf("%d events of two messages", len(got))
	}
	if n := len(s.read(event.TopicWebhooks)); n < 4 {
		t.Errorf("%d calls in the journal, want each that was made durable", n)
	}
}

func TestP7_P13_ARebalanceMovesTheConnection(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	first := s.start()
	s.bound()
	const peers, each = 5, 10
	var pushes []*sessiontest.Push
	for n := range each {
		var batch []event.Outbound
		for p := range peers {
			batch = append(batch, text(fmt.Sprint("p", p), fmt.Sprintf("a%d-%d", p, n), "x"))
		}
		s.order(batch...)
		pushes = append(pushes, s.says(fmt.Sprint("m", n)))
		switch n {
		case 3:
			s.start()
		case 7:
			first.stop()
		}
	}
	bustest.Eventually(t, "every message has a result", func() bool { return len(s.results()) == peers*each })
	for id, said := range s.results() {
		if diff := cmp.Diff([]event.DeliveryStatus{event.Accepted}, said); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	for p := range peers {
		var want []string
		for n := range each {
			want = append(want, fmt.Sprintf("a%d-%d/0", p, n))
		}
		if diff := cmp.Diff(want, s.sent(fmt.Sprint("p", p))); diff != "" {
			t.Errorf("order to p%d -want +got\n%s", p, diff)
		}
	}
	for _, push := range pushes {
		bustest.Eventually(t, "everything is acknowledged", push.Acknowledged)
	}
	if got := s.read(event.TopicInbound); len(got) != each {
		t.Errorf("%d events of %d messages", len(got), each)
	}
	if now, most, ever := s.peer.Binds(); now != 1 || most != 1 || ever < 2 {
		t.Errorf("binds: %d now, %d at most, %d ever", now, most, ever)
	}
}

func TestAConnectionFollowsItsChannel(t *testing.T) {
	t.Parallel()
	s := newLineSite(t)
	s.start()
	s.bound()
	s.peer.Password("another")
	s.peer.Cut()
	bustest.Eventually(t, "it is shown why it fails", func() bool {
		c := s.shown()
		return c.State == directory.Failing && c.Error.Code == channel.CodeCredentials && c.Tries > 0
	})
	if c := s.shown(); c.NextAt.Sub(c.SeenAt.Time) < 20*time.Second {
		t.Errorf("denied credentials are tried again after %s", c.NextAt.Sub(c.SeenAt.Time))
	}
	s.order(text("ann", "a0", "x"))
	s.change(func(d *directory.Channel) {
		d.Sealed["api_token"] = []string{s.sealer.Seal("another", s.ch.Tenant, s.ch.ID, "api_token")}
	})
	bustest.Eventually(t, "the new secret opens it at once, and what waited is sent", func() bool { return s.last()["a0/0"] == event.Accepted })
	bustest.Eventually(t, "it is shown as connected", func() bool { c := s.shown(); return c.State == directory.Connected && c.Version == 2 })
	s.change(func(d *directory.Channel) { d.Name = "renamed" })
	bustest.Eventually(t, "every version has its own connection", func() bool { now, _, ever := s.peer.Binds(); return now == 1 && ever == 3 })
	s.change(func(d *directory.Channel) { d.Enabled = false })
	bustest.Eventually(t, "it is closed", func() bool { now, _, _ := s.peer.Binds(); return now == 0 })
	s.order(text("ann", "a1", "x"))
	bustest.Eventually(t, "a channel that is off refuses", func() bool { return s.last()["a1/0"] == event.Failed })
	s.change(func(d *directory.Channel) { d.Enabled = true })
	s.bound()
	s.change(func(d *directory.Channel) { d.Deleted, d.Enabled = true, false })
	bustest.Eventually(t, "it is closed for good", func() bool { now, _, _ := s.peer.Binds(); return now == 0 })
	if _, most, _ := s.peer.Binds(); most != 1 || s.peer.Unbinds() < 3 {
		t.Errorf("%d binds at once, %d ended in order", most, s.peer.Unbinds())
	}
}
