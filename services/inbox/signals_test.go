package inbox_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

// signals follows the signals that leave for the tenant's WhatsApp channel from now on.
func (w *tenant) signals() <-chan event.Outbound { return w.leaving(event.SignalSend) }

// leaving follows the records of a type that leave for the tenant's WhatsApp channel from now on.
func (w *tenant) leaving(typ event.Type) <-chan event.Outbound {
	w.Helper()
	out, ready := make(chan event.Outbound, 100), make(chan struct{})
	ctx, cancel := context.WithCancel(w.Context())
	w.Cleanup(cancel)
	go func() {
		_ = w.env.Bus.Follow(ctx, event.TopicOutbound(event.WhatsApp), bus.Beginning, func(_ context.Context, m bus.Message) error {
			if o, err := event.Decode[event.Outbound](m.Event); err == nil && m.Event.Tenant == w.id && m.Event.Type == typ {
				out <- o
			}
			return nil
		}, func() { close(ready) })
	}()
	<-ready
	return out
}

// A channel type can claim the signals of record.Signals and no others (services/all compares the claims); each of them is sent here.
func TestEverySignalHasAnEmitter(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	c := w.wrote(event.WhatsApp, "ann", "hi").ConversationID
	at := "/v1/conversations/" + c
	emitters := map[string]func(){
		record.TypingOn:  func() { w.post(w.key, at+"/typing", object{"typing": true}).want(204) },
		record.TypingOff: func() { w.post(w.key, at+"/typing", object{"typing": false}).want(204) },
		record.SeenAll:   func() { w.post(w.key, at+"/read", nil).want(200) },
		record.Ack: func() {
			w.wrote(event.WhatsApp, "ann", "", func(in *event.Inbound) {
				in.Content = &event.Content{Type: event.InteractType, Interaction: &event.Interaction{Kind: "button", Payload: "yes", Ack: "call-1"}}
			})
		},
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(record.Signals)), slices.Sorted(maps.Keys(emitters))); diff != "" {
		t.Fatalf("record.Signals and their emitters (-claimed +emitted)\n%s", diff)
	}
	sent := w.signals()
	for _, what := range record.Signals {
		emitters[what]()
		got := <-sent
		if got.Signal != what || got.ChannelID != w.channel(event.WhatsApp) || got.Peer != "ann" {
			t.Errorf("%+v, want the signal %s", got, what)
		}
		if what == record.Ack && got.ReplyHandle != "call-1" {
			t.Errorf("the acknowledgement names %q, want what the provider gave", got.ReplyHandle)
		}
	}
}

// TestReadIsTheHoldersToSay: a customer sees that a message was read when the one who answers has read it, once.
func TestReadIsTheHoldersToSay(t *testing.T) {
	t.Parallel()
	w := newTenant(t)
	in := w.wrote(event.WhatsApp, "ann", "hi")
	at := "/v1/conversations/" + in.ConversationID
	holder, agent := w.user("holder", "agent", "")
	boss, _ := w.user("boss", "supervisor", "")
	sent := w.signals()
	w.post(w.key, at+"/assign", object{"agent_id": agent}).want(200)
	w.post(boss, at+"/read", nil).want(200)
	w.post(w.apiKey("", auth.Read, auth.ReadAll), at+"/read", nil).want(200)
	w.post(holder, at+"/read", nil).want(200)
	w.post(holder, at+"/read", nil).want(200)
	w.post(holder, at+"/typing", object{"typing": true}).want(204)
	for _, want := range []string{record.SeenAll, record.TypingOn} {
		if got := <-sent; got.Signal != want || got.By.ID == "" || got.InReplyTo != in.ExternalIDs[0] {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
