package ingress

import (
	"errors"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestTheIDsOfAReceiptReachTheInboxOnceADay(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := newRig(t, nil, func(d *Deps) { d.Now = func() time.Time { return now } })
	receipt := func(ref string, aliases ...string) event.Inbound {
		return event.Inbound{Type: event.ReceiptReceived, Ref: ref, Peer: "491", Aliases: aliases, ExternalID: "m1", Receipt: &event.Receipt{Status: event.Sent}}
	}
	told := func() (n int) {
		for _, rec := range r.bus.Records() {
			if rec.Event.Type != event.ContactIdentified {
				continue
			}
			n++
			in, err := event.Decode[event.Inbound](rec.Event)
			if err != nil || rec.Topic != event.TopicInbound || in.Peer != "491" || len(in.Aliases) != 1 || in.Identity == nil || len(in.Identity.Old) > 0 {
				t.Errorf("%s %+v %v", rec.Topic, in, err)
			}
		}
		return n
	}
	post := func(ref string, aliases ...string) {
		r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(receipt(ref, aliases...))))
	}
	post("m1:sent")
	if told() != 0 {
		t.Error("a receipt with one id links something")
	}
	r.bus.Fail(func([]event.Record) error { return errors.New("away") })
	post("m1:sent", "DE.7")
	r.bus.Fail(nil)
	post("m1:sent", "DE.7") // what was not published is not told yet
	post("m1:delivered", "DE.7")
	if n := told(); n != 1 {
		t.Errorf("%d events say the same", n)
	}
	post("m1:read", "DE.8")
	if n := told(); n != 2 {
		t.Errorf("another id: %d events", n)
	}
	now = now.Add(25 * time.Hour)
	post("m2:sent", "DE.7")
	if n := told(); n != 3 {
		t.Errorf("a day later: %d events", n)
	}
}
