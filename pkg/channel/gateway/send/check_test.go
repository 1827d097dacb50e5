package send

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
)

// calls is what was seen of calls when they began. The world's lock guards it.
type calls struct {
	until  map[string]time.Time // by part: no byte of its last call leaves after it
	faults []string
}

// begins notes a call at its start, before its first byte. By then every earlier part of its key must have a result: on receipts,
// or as a fact of its row, which is as good (A3).
func (w *world) begins(ctx context.Context, a provider.About) {
	if _, measures := w.t.(*testing.B); measures || a.Attempt == "" {
		return // a signal is no part
	}
	id := partID(a.Attempt, a.Part)
	for _, before := range w.before(id) {
		if w.results()[before] == nil && !w.ended(before) {
			w.fault("A3: the call of %s began before %s had a result", id, before)
		}
	}
	until, ok := ctx.Deadline()
	if !ok {
		w.fault("the call of %s has no deadline", id)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls.until == nil {
		w.calls.until = map[string]time.Time{}
	}
	w.calls.until[id] = until
}

func (w *world) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls.faults = append(w.calls.faults, fmt.Sprintf(format, args...))
}

func partID(attempt string, n int) string { return fmt.Sprintf("%s/%d", attempt, n) }

// lines are the parts of every key, in the order of the log; a copy adds nothing.
func (w *world) lines() map[string][]string {
	out := map[string][]string{}
	for _, m := range w.records() {
		msg, _ := event.Decode[event.Outbound](m.Event)
		for n := range strings.Split(msg.Content.Text, "\n--\n") {
			if id := partID(msg.AttemptID, n); !msg.Skips(n) && !slices.Contains(out[m.Key], id) {
				out[m.Key] = append(out[m.Key], id)
			}
		}
	}
	return out
}

// before are the earlier parts of the same key.
func (w *world) before(id string) []string {
	for _, line := range w.lines() {
		if i := slices.Index(line, id); i >= 0 {
			return line[:i]
		}
	}
	return nil
}

// ended reports whether a part's row is final. A store that does not answer ended it for nobody.
func (w *world) ended(id string) bool {
	attempt, text, _ := strings.Cut(id, "/")
	n, err := strconv.Atoi(text)
	if err != nil {
		return false
	}
	r, err := store.NewCollection[Row](w.db, Spec(event.Telegram)).Get(context.Background(), RowID("acme", attempt, n))
	return err == nil && r.State.Final()
}

// check holds the world to the properties of the model.
func (w *world) check() {
	w.t.Helper()
	w.mu.Lock()
	faults := w.calls.faults
	w.mu.Unlock()
	for _, f := range faults {
		w.t.Error(f)
	}
	for id, rs := range w.results() {
		taken := w.provider.Taken(id)
		if taken > 1 {
			w.t.Errorf("A1: %s reached the person %d times", id, taken)
		}
		for _, r := range rs {
			switch r.Status {
			case event.Accepted, event.Sent:
				if taken == 0 {
					w.t.Errorf("A5: %s is said to be %s and never arrived", id, r.Status)
				}
			case event.Failed:
				if taken != 0 {
					w.t.Errorf("A5: %s is said to have failed and arrived: %+v", id, r.Error)
				}
			}
		}
	}
	w.checkOrder()
}

// checkOrder is A3 at the provider: nothing is taken after a later part of its key, unless it was said to be unknown before. That
// happens only to what was on its way when its call's deadline passed: no byte left after it, but no program can call them back.
func (w *world) checkOrder() {
	w.t.Helper()
	for key, line := range w.lines() {
		peer := key[strings.Index(key, "|")+1:]
		latest := -1
		for _, id := range w.provider.Order(peer) {
			i := slices.Index(line, id)
			if i >= 0 && i < latest && !w.lingered(id) {
				w.t.Errorf("A3: to %s arrived %v, sent were %v; said of %s: %v", peer, w.provider.Order(peer), line, id, w.statuses(id))
			}
			latest = max(latest, i)
		}
	}
}

// lingered reports whether a part was taken after the deadline of its call, and is said to be unknown.
func (w *world) lingered(id string) bool {
	w.mu.Lock()
	until := w.calls.until[id]
	w.mu.Unlock()
	late := w.provider.TakenAt(id).Sub(until)
	if late <= 0 || !slices.Contains(w.statuses(id), event.Unsure) {
		return false
	}
	w.t.Logf("%s was taken %s after its deadline", id, late)
	return true
}
