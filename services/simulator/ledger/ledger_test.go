package ledger

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/services/simulator/account"
)

func open(t *testing.T, tenant, id string) *account.Account {
	t.Helper()
	r := &account.Registry{}
	a, err := r.Register(tenant, account.Config{Type: "whatsapp", ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func everything(*account.Account) bool { return true }

func TestCopiesAreCounted(t *testing.T) {
	t.Parallel()
	l, a, b := New(), open(t, "t", "1"), open(t, "t", "2")
	for i, of := range []*account.Account{a, a, b} {
		l.Accept(&Message{ID: fmt.Sprint(i), Of: of, Kind: "text", Body: json.RawMessage(`{"x":1}`)})
	}
	l.Accept(&Message{ID: "3", Of: a, Kind: "text", Body: json.RawMessage(`{"x":2}`)})
	got, accepted, _ := l.Messages(Filter{Of: everything, Limit: 10})
	for i, want := range []int{2, 2, 1, 1} {
		if got[i].Copies != want {
			t.Errorf("message %d: %d copies, want %d", i, got[i].Copies, want)
		}
	}
	l.Clear(func(of *account.Account) bool { return of == a })
	left, _, _ := l.Messages(Filter{Of: everything, Limit: 10})
	if _, ok := l.Message(a, "0"); ok || accepted != 4 || len(left) != 1 || len(l.copies) != 1 {
		t.Errorf("after the clear: %d of %d, %d digests", len(left), accepted, len(l.copies))
	}
}

// TestMemoryIsBounded: entries that fall out leave nothing behind.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l, a := New(), open(t, "t", "1")
	l.messages.maxLen = 100
	for i := range 1000 {
		l.Accept(&Message{IDs: []string{fmt.Sprint(i), fmt.Sprint("album", i)}, Of: a, Body: json.RawMessage(fmt.Sprint(i))})
	}
	if l.messages.len() != 100 || len(l.byID) != 200 || len(l.copies) != 100 || len(l.messages.items) > 1000 {
		t.Errorf("%d messages, %d ids, %d digests", l.messages.len(), len(l.byID), len(l.copies))
	}
	if _, ok := l.Message(a, "999"); !ok {
		t.Error("the newest is gone")
	}
}

func TestRingKeepsTheLatest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most, bytes := rapid.IntRange(1, 20).Draw(t, "most"), rapid.IntRange(1, 60).Draw(t, "bytes")
		gone := 0
		r := ring[int]{maxLen: most, maxBytes: bytes, size: func(v int) int { return v % 7 }, gone: func(int) { gone++ }}
		var all []int
		for i := range rapid.IntRange(0, 400).Draw(t, "n") {
			r.push(i)
			all = append(all, i)
		}
		sum := 0
		for i, v := range r.all() {
			if sum += v % 7; v != all[len(all)-r.len()+i] {
				t.Fatalf("entry %d is %d", i, v)
			}
		}
		if r.len() > most || r.len() > 1 && sum > bytes || sum != r.bytes || gone+r.len() != len(all) {
			t.Fatalf("%d entries, %d bytes (counted %d), %d gone of %d", r.len(), sum, r.bytes, gone, len(all))
		}
		r.keep(func(v int) bool { return v%2 == 0 })
		for _, v := range r.all() {
			if v%2 != 0 {
				t.Fatalf("%d was kept", v)
			}
		}
	})
}
