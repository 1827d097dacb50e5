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
	s.toy.Edit = func(i *channel.Info) { i.Session = true }
	s.opts = []gateway.Option{gateway.Sessions(sessiontest.Session{Idle: 5 * time.Second}, sessiontest.Scheme)}
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
