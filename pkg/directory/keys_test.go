package directory

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// sealerOf has keys of which each is one letter.
func sealerOf(t *testing.T, letters string) *auth.Sealer {
	t.Helper()
	var keys [][]byte
	for _, l := range letters {
		keys = append(keys, bytes.Repeat([]byte(string(l)), 32))
	}
	s, err := auth.NewSealer(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProveKey: a process starts with a key that opens what is there, and with no other.
func TestProveKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		channel, check bool // sealed with k, before
		key            string
		ok             bool
	}{
		"first start":                      {false, false, "a", true},
		"the same key":                     {true, true, "k", true},
		"another key":                      {true, true, "a", false},
		"another key, no channel yet":      {false, true, "a", false},
		"the key is accepted":              {true, true, "ak", true},
		"data of an earlier version":       {true, false, "k", true},
		"earlier version, another key":     {true, false, "a", false},
		"earlier version, key is accepted": {true, false, "ak", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if tt.channel {
				o.add("ch_1", "t1", "bot", true)
			}
			if tt.check {
				if err := ProveKey(t.Context(), o.db, o.sealer); err != nil {
					t.Fatal(err)
				}
			}
			held, err := HoldsSealed(t.Context(), o.db)
			if err != nil || held != (tt.channel || tt.check) {
				t.Errorf("something is sealed: %t, %v", held, err)
			}
			for range 2 {
				err = ProveKey(t.Context(), o.db, sealerOf(t, tt.key))
				if (err == nil) != tt.ok {
					t.Errorf("%v", err)
				}
			}
			if !tt.ok && (!strings.Contains(err.Error(), o.sealer.ID()) || !strings.Contains(err.Error(), "TRIBUTARY_ENCRYPTION_KEY")) {
				t.Errorf("%v: names neither the key nor where it is set", err)
			}
		})
	}
}

// TestTwoFirstStarts: of two processes that start at once with two keys, one goes on.
func TestTwoFirstStarts(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	started := make(chan error, 2)
	for _, key := range []string{"a", "b"} {
		s := sealerOf(t, key)
		go func() { started <- ProveKey(context.WithoutCancel(t.Context()), db, s) }()
	}
	if first, second := <-started, <-started; (first == nil) == (second == nil) {
		t.Errorf("%v, %v", first, second)
	}
}

// TestOneUnreadableChannel: a secret that does not open is its channel's trouble alone, and ends when it is set again.
func TestOneUnreadableChannel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := o.directory(bustest.New(t))
	o.add("ch_good", "t1", "good", true)
	o.add("ch_bad", "t1", "bad", true)
	other := sealerOf(t, "x")
	o.change("ch_bad", func(c *Channel) { c.Sealed["k"] = []string{other.Seal("v", "t1", "ch_bad", "k")} })
	o.change("ch_good", func(c *Channel) { c.Sealed["k"][1] = other.Seal("v", "t1", "ch_good", "k") })
	_, err := d.Channel(t.Context(), "ch_bad")
	if f := fault.Of(err); err == nil || f.Kind != fault.Unavailable || f.Code != "channel_unreadable" {
		t.Errorf("%v", err)
	}
	if k, err := d.Channel(t.Context(), "ch_good"); err != nil || len(k.Secrets["k"]) != 1 {
		t.Errorf("a predecessor that does not open: %v, %v", k.Secrets, err)
	}
	if all, err := d.Of(t.Context(), event.Telegram); err != nil || len(all) != 1 || all[0].ID != "ch_good" {
		t.Errorf("%d channels, %v", len(all), err)
	}
	c := o.change("ch_bad", func(c *Channel) { c.Sealed["k"] = []string{o.sealer.Seal("new", "t1", "ch_bad", "k")} })
	d.Changed(event.Config{Entity: EntityChannel, ID: "ch_bad", Version: c.Version})
	if k, err := d.Channel(t.Context(), "ch_bad"); err != nil || k.Secrets["k"][0] != "new" {
		t.Errorf("set again: %v", err)
	}
}

// TestReseal: everything is sealed with the current key, in as many tries as it takes; until the end the former key proves itself.
func TestReseal(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, id := range []string{"ch_1", "ch_2", "ch_3"} {
		o.add(id, "t1", id, true)
	}
	if err := ProveKey(t.Context(), o.db, o.sealer); err != nil {
		t.Fatal(err)
	}
	both, next := sealerOf(t, "nk"), sealerOf(t, "n")
	ctx, stop := context.WithCancel(t.Context())
	r, err := Reseal(ctx, o.db, both, false, func(Resealed) { stop() })
	if err == nil || r.Values != 2 {
		t.Fatalf("stopped after the first channel: %+v, %v", r, err)
	}
	if err := ProveKey(t.Context(), o.db, next); err == nil {
		t.Error("half way, the new key alone is taken for enough")
	}
	if err := ProveKey(t.Context(), o.db, o.sealer); err != nil {
		t.Errorf("half way, the former key: %v", err)
	}
	for try, want := range []Resealed{{Values: 4, Current: 2}, {Current: 6}} {
		r, err := Reseal(t.Context(), o.db, both, false, func(Resealed) {})
		if err != nil || r.Values != want.Values || r.Current != want.Current || len(r.Lost) != 0 {
			t.Errorf("try %d: %+v, %v", try, r, err)
		}
	}
	if err := ProveKey(t.Context(), o.db, next); err != nil {
		t.Errorf("the new key: %v", err)
	}
	k, err := New(o.db, bustest.New(t), next, time.Now).Channel(t.Context(), "ch_2")
	if err != nil || len(k.Secrets["k"]) != 2 || k.Secrets["k"][0] != "new" {
		t.Errorf("%v %v", k.Secrets, err)
	}
}

// TestResealWhatIsLost: a key that is lost stops the rotation, unless it is given up; then its values are named and stay.
func TestResealWhatIsLost(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add("ch_1", "t1", "bot", true)
	if err := ProveKey(t.Context(), o.db, o.sealer); err != nil {
		t.Fatal(err)
	}
	next := sealerOf(t, "n")
	if r, err := Reseal(t.Context(), o.db, next, false, func(Resealed) {}); err == nil || len(r.Lost) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := ProveKey(t.Context(), o.db, next); err == nil {
		t.Error("a rotation that failed changed the check value")
	}
	if r, err := Reseal(t.Context(), o.db, next, true, func(Resealed) {}); err != nil || len(r.Lost) != 2 || !strings.Contains(r.Lost[0], "ch_1") {
		t.Errorf("given up: %+v, %v", r, err)
	}
	if err := ProveKey(t.Context(), o.db, next); err != nil {
		t.Errorf("after giving up: %v", err)
	}
}

// TestSecretsOfTheInstallation: a secret stays what it was at its first use, as long as one of the keys opens it.
func TestSecretsOfTheInstallation(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, Specs...)
	secret := func(keys, first string) (string, error) {
		b, err := Secret(t.Context(), db, sealerOf(t, keys), RequestDigests, []byte(first))
		return string(b), err
	}
	reseal := func(keys string, giveUp bool) Resealed {
		t.Helper()
		r, err := Reseal(t.Context(), db, sealerOf(t, keys), giveUp, func(Resealed) {})
		if (err != nil) != (len(r.Lost) > 0 && !giveUp) {
			t.Fatalf("%s: %+v, %v", keys, r, err)
		}
		return r
	}
	for _, step := range []struct{ keys, want string }{{"k", "first"}, {"k", "first"}, {"nk", "first"}} {
		if got, err := secret(step.keys, step.want); err != nil || got != "first" {
			t.Errorf("%s: %q, %v", step.keys, got, err)
		}
	}
	if _, err := secret("n", "another"); err == nil {
		t.Error("before it was sealed again another key opens it")
	}
	if r := reseal("nk", false); r.Values != 1 {
		t.Errorf("sealed again: %+v", r)
	}
	if got, err := secret("n", "another"); err != nil || got != "first" {
		t.Errorf("with the new key alone: %q, %v", got, err)
	}
	if r := reseal("z", false); len(r.Lost) != 1 {
		t.Errorf("no key opens it: %+v", r)
	}
	reseal("z", true)
	if got, err := secret("z", "another"); err != nil || got == "first" || got == "another" {
		t.Errorf("given up: %q, %v", got, err)
	}
}
