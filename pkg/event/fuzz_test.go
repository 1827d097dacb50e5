package event_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

// FuzzTime reads times: what is read is written in the one layout, and read again as the same moment.
func FuzzTime(f *testing.F) {
	for _, s := range []string{`null`, `"2026-01-02T03:04:05.678Z"`, `"2026-01-02T03:04:05+14:00"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999999-12:00"`, `""`, `5`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v, again event.Time
		if v.UnmarshalJSON(b) != nil {
			return
		}
		out, err := v.MarshalJSON()
		if err != nil || !json.Valid(out) {
			t.Fatalf("%q is written as %q: %v", b, out, err)
		}
		if err := again.UnmarshalJSON(out); err != nil || !again.Equal(v.Time) {
			t.Fatalf("%q is %v, and read again %v: %v", b, v, again, err)
		}
	})
}

// FuzzUnix reads providers' timestamps: any number is a moment that can be written, or none.
func FuzzUnix(f *testing.F) {
	for _, n := range []int64{0, -1, 1, 999_999_999_999, 1_000_000_000_000, 1 << 62, -1 << 63} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		v := event.Unix(n)
		b, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again event.Time
		if err := again.UnmarshalJSON(b); err != nil || !again.Equal(v.Time) {
			t.Fatalf("%d is %s, and read again %v: %v", n, b, again, err)
		}
	})
}

// FuzzPayloads decodes every payload of the contract: what is decoded is encoded to something that decodes to the same.
func FuzzPayloads(f *testing.F) {
	for _, e := range event.Examples() {
		f.Add(encode(f, e.Payload))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := event.Event{ID: "evt_1", Data: b}
		steady[event.Inbound](t, e)
		steady[event.Outbound](t, e)
		steady[event.SendResult](t, e)
		steady[event.Status](t, e)
		steady[event.Webhook](t, e)
		steady[event.WantedMedia](t, e)
		steady[event.Attached](t, e)
		steady[event.Conversation](t, e)
		steady[event.Holder](t, e)
		steady[event.Agent](t, e)
		steady[event.Decision](t, e)
		steady[event.Stream](t, e)
		steady[event.Config](t, e)
	})
}

func steady[T any](t *testing.T, e event.Event) {
	v, err := event.Decode[T](e)
	if err != nil {
		return
	}
	first := encode(t, v)
	again, err := event.Decode[T](event.Event{Data: first})
	if err != nil {
		t.Fatalf("%T cannot be read again: %v: %s", v, err, first)
	}
	if second := encode(t, again); !bytes.Equal(first, second) {
		t.Fatalf("%T changes when it is read again:\n%s\n%s", v, first, second)
	}
}

func encode(t testing.TB, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return b
}

// FuzzKey joins the parts of keys: two keys are the same only if all their parts are.
func FuzzKey(f *testing.F) {
	f.Add("a|b", "c", "a", "b|c")
	f.Add(`a\`, `|b`, `a\|`, `b`)
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		same := a == c && b == d
		if (event.Key(a, b) == event.Key(c, d)) != same {
			t.Fatalf("%q %q and %q %q: %q, %q", a, b, c, d, event.Key(a, b), event.Key(c, d))
		}
		if (event.Hash(a, b) == event.Hash(c, d)) != same {
			t.Fatalf("%q %q and %q %q have one hash, or two", a, b, c, d)
		}
	})
}
