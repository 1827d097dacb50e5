package directory

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

func TestAFloodOfUnknownIdsStarvesNothingThatExists(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add("ch_a", "t1", "alpha", true)
	o.change("ch_a", func(c *Channel) { c.Claims = []string{AccountClaim(event.Telegram, "bot", "alpha")} })
	b := bustest.New(t)
	told := event.Config{Entity: EntityChannel, ID: "ch_a", Version: 2}
	e := event.New("evt_1", event.ConfigChanged, "admin", "t1", "ch_a", event.At(time.Now()), told)
	if err := b.Publish(t.Context(), event.Record{Topic: event.TopicConfig, Key: "ch_a", Event: e}); err != nil {
		t.Fatal(err)
	}
	d := o.directory(b)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	deadline := time.Now().Add(30 * time.Second)
	for !d.claims.all.Load() {
		if time.Now().After(deadline) {
			t.Fatal("the claims were not read")
		}
		<-time.After(time.Millisecond)
	}
	for i := range 3 * unknownRate {
		if _, err := d.ByAccount(ctx, event.Telegram, "bot", strconv.Itoa(i)); !fault.Is(err, fault.Gone) {
			t.Fatalf("an unknown account: %v", err)
		}
		if _, err := d.Channel(ctx, "ch_"+strconv.Itoa(i)); !fault.Is(err, fault.Gone) {
			t.Fatalf("an unknown channel: %v", err)
		}
	}
	if k, err := d.ByAccount(ctx, event.Telegram, "bot", "alpha"); err != nil || k.ID != "ch_a" {
		t.Errorf("a claim that was never looked up, in the flood: %s (%v)", k.ID, err)
	}
	for i := range 3 * unknownRate {
		if _, err := d.BySecret(ctx, event.Telegram, strconv.Itoa(i)); !fault.Is(err, fault.Gone) {
			t.Fatalf("an unknown secret: %v", err)
		}
	}
	if k, err := d.BySecret(ctx, event.Telegram, "token of ch_a"); err != nil || k.ID != "ch_a" {
		t.Errorf("a secret that was never looked up, in the flood: %s (%v)", k.ID, err)
	}
	for value, want := range map[string]bool{"alpha": true, "token of ch_a": true, "made up": false} {
		if got := d.Heard(event.Telegram, "bot", value); got != want {
			t.Errorf("%q was heard of: %v", value, got)
		}
	}
}

func TestWhatIsMissingTakesNoPlaceOfWhatIsThere(t *testing.T) {
	t.Parallel()
	s, tab := newShelf()
	s.version["a"] = 1
	want(t, tab, "a", "1")
	for i := range 3 * maxMissing {
		if i%unknownRate == 0 {
			s.clock = s.clock.Add(time.Second)
		}
		_, _ = tab.find(t.Context(), "x"+strconv.Itoa(i))
	}
	if len(tab.entries) != 1 || tab.missing.Len() > maxMissing {
		t.Errorf("%d values, %d missing ids are kept", len(tab.entries), tab.missing.Len())
	}
}
