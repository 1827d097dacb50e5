package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/event"
)

// FuzzEnvelope writes events and reads them again: the same event, whatever is in it.
func FuzzEnvelope(f *testing.F) {
	f.Add("evt_1", "message.received", "whatsapp", "t1", "ch_1", int64(1781524800000), "ch_1|49", []byte(`{"a":1}`))
	f.Add("", "", "", "", "", int64(0), "", []byte(nil))
	f.Add("\xff", "\x00", "ü", "a\nb", "", int64(-1), "\xff", []byte("{"))
	f.Fuzz(func(t *testing.T, id, typ, source, tenant, subject string, ms int64, key string, data []byte) {
		e := event.Event{ID: id, Type: event.Type(typ), Source: source, Tenant: tenant, Subject: subject, Data: data}
		if ms > 0 && ms < 253_402_300_800_000 { // up to the year 9999
			e.Time = event.At(time.UnixMilli(ms))
		}
		m, err := encode(context.Background(), event.Record{Topic: "t", Key: key, Event: e})
		if err != nil {
			if id != "" && typ != "" && len(data) < maxRecord/2 {
				t.Fatalf("not written: %v", err)
			}
			return
		}
		got, err := decode(record{topic: m.Topic, key: m.Key, value: m.Value, headers: m.Headers})
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		if d := cmp.Diff(e, got.Event); d != "" || got.Key != key || got.Dead != nil {
			t.Fatalf("key %q is %q, dead %v, and %s", key, got.Key, got.Dead, d)
		}
	})
}

// FuzzDecode reads records that anybody may have written: an error, or an event that is written and read as the same. A dead
// letter of it keeps all of it.
func FuzzDecode(f *testing.F) {
	f.Add("ce_specversion", "1.0", "ce_id", "evt_1", "ce_type", "x", "ce_time", "2026-01-02T03:04:05Z", []byte(`{}`))
	f.Add("ce_specversion", "1.0", "ce_id", "evt_1", "ce_type", "x", "dlq-reason", "poison", []byte(`{}`))
	f.Add("ce_specversion", "0.3", "ce_id", "", "dlq-attempts", "99999999999999999999", "dlq-first-failed-at", "x", []byte(nil))
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2, k3, v3, k4, v4 string, value []byte) {
		h := headers{{Key: k1, Value: []byte(v1)}, {Key: k2, Value: []byte(v2)}, {Key: k3, Value: []byte(v3)}, {Key: k4, Value: []byte(v4)}}
		r := record{topic: "origin", partition: 3, offset: 7, key: []byte("k"), value: value, headers: h}
		m, err := decode(r)
		why := burial{reason: "poison", err: errors.New("no"), attempts: 2, failed: time.Unix(1, 0)}
		l := letter(r, "group", why)
		dead, lerr := decode(record{topic: l.Topic, key: l.Key, value: l.Value, headers: l.Headers})
		if (lerr == nil) != (err == nil) || dead.Dead == nil || dead.Dead.Topic != "origin" || dead.Dead.Offset != 7 || dead.Dead.Attempts != 2 {
			t.Fatalf("its dead letter is %+v, %v", dead.Dead, lerr)
		}
		if d := cmp.Diff(m.Event, dead.Event); d != "" {
			t.Fatalf("its dead letter has another event: %s", d)
		}
		if err != nil || len(value) >= maxRecord/2 {
			return
		}
		w, err := encode(context.Background(), event.Record{Topic: "t", Key: m.Key, Event: m.Event})
		if err != nil {
			t.Fatalf("an event that was read cannot be written: %v", err)
		}
		again, err := decode(record{key: w.Key, value: w.Value, headers: w.Headers})
		if d := cmp.Diff(m.Event, again.Event); err != nil || d != "" {
			t.Fatalf("%v, %s", err, d)
		}
	})
}
