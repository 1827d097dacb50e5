package due

import (
	"slices"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Timer is something that happens to a document at a time, if its cause still holds then.
type Timer struct {
	Kind  string     `json:"kind"`
	At    event.Time `json:"at"`
	Cause string     `json:"cause,omitempty"` // what whoever handles it compares with the document: a version, a message
}

// Timers are those of a document, which embeds them: at most one of a kind. DueAt is the earliest; it leads an index, by which a
// [Runner] finds the document.
type Timers struct {
	Timers []Timer    `json:"timers,omitempty"`
	DueAt  event.Time `json:"due_at,omitzero"`
	// DueKind is of earlier versions, which had one timer and kept it in DueAt.
	DueKind string `json:"due_kind,omitempty"`
}

// StartTimer sets the timer of a kind, in place of the one that it has.
func (t *Timers) StartTimer(kind string, at event.Time, cause string) {
	t.set(append(t.without(kind), Timer{Kind: kind, At: at, Cause: cause}))
}

// StopTimer takes out the timers of some kinds.
func (t *Timers) StopTimer(kinds ...string) { t.set(t.without(kinds...)) }

// Timer returns the timer of a kind.
func (t *Timers) Timer(kind string) (Timer, bool) {
	all := t.all()
	if i := slices.IndexFunc(all, func(r Timer) bool { return r.Kind == kind }); i >= 0 {
		return all[i], true
	}
	return Timer{}, false
}

// all are the timers, also as earlier versions kept one.
func (t *Timers) all() []Timer {
	if len(t.Timers) == 0 && t.DueKind != "" {
		return []Timer{{Kind: t.DueKind, At: t.DueAt}}
	}
	return t.Timers
}

func (t *Timers) without(kinds ...string) []Timer {
	return slices.DeleteFunc(slices.Clone(t.all()), func(r Timer) bool { return slices.Contains(kinds, r.Kind) })
}

func (t *Timers) set(all []Timer) {
	slices.SortStableFunc(all, func(a, b Timer) int { return a.At.Compare(b.At.Time) })
	*t = Timers{Timers: all}
	if len(all) > 0 {
		t.DueAt = all[0].At
	}
}

// over returns the timers of the kinds whose time has come, the earliest first; most says how far ahead those of a kind are set.
func (t *Timers) over(now event.Time, most map[string]time.Duration) (out []Timer) {
	for _, r := range t.all() {
		if m, ok := most[r.Kind]; ok && Passed(r.At, now, m) {
			out = append(out, r)
		}
	}
	return out
}
