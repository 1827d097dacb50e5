package dispatch

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// situation is one input of the machine.
type situation struct {
	row  *Row
	k    known
	now  time.Time
	late bool // the row's time to be sent is over
}

func (s situation) String() string {
	out := fmt.Sprintf("late %v, refused %v, missing %v, broken %v, open %v, repeatable %v, keyless %v, lost %v, abandoned %v",
		s.late, s.k.refusal != nil, s.k.missing, s.k.broken, s.k.open, s.k.repeatable, s.k.keyless, s.k.lost, s.k.abandoned)
	if s.k.verdict != nil {
		out = fmt.Sprintf("finding %d, %s", s.k.verdict.Finding, out)
	}
	if s.row == nil {
		return "no row, " + out
	}
	return fmt.Sprintf("%q, waited %v, part %d of %d, %s", s.row.State, s.row.Waited, s.row.Part, s.row.Parts, out)
}

// situations yields every input that lanes and drainers can give.
func situations(yield func(situation)) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	err := fault.New(fault.Unknown, "x", "x")
	bools := []bool{false, true}
	var knowns []known
	for bits := range 1 << 6 {
		on := func(n int) bool { return bits>>n&1 == 1 }
		k := known{missing: on(0), broken: on(1), open: on(2), repeatable: on(3)}
		if on(4) {
			k.refusal = err
		}
		if k.keyless = on(5); k.keyless && !k.repeatable {
			continue // only what may be called again needs a key
		}
		knowns = append(knowns, k)
	}
	row := func(s State, waited, late bool, part int) *Row {
		r := &Row{State: s, Waited: waited, Part: part, Parts: 2, SendBy: event.At(now.Add(time.Hour))}
		if late {
			r.SendBy = event.At(now)
		}
		return r
	}
	for _, k := range knowns {
		for _, late := range bools {
			for part := range 2 {
				yield(situation{row("", false, late, part), k, now, late})
				yield(situation{row(Waiting, true, late, part), k, now, late})
				for _, waited := range bools {
					for _, abandoned := range bools {
						k := k
						k.abandoned = abandoned
						yield(situation{row(Calling, waited, late, part), k, now, late})
					}
					for f := Taken; f <= Unsure; f++ {
						k := k
						k.verdict = &Verdict{Finding: f, Err: err}
						yield(situation{row(Calling, waited, late, part), k, now, late})
						k.lost = true
						yield(situation{nil, k, now, late})
						for _, s := range []State{Waiting, Calling, Sent, Failed, Unknown, Expired} {
							yield(situation{row(s, true, late, part), k, now, late})
						}
					}
				}
			}
		}
	}
}

// The machine keeps the rules of docs/models/outbound.pml in every situation.
func TestP7_TheMachineKeepsTheRulesInEverySituation(t *testing.T) {
	t.Parallel()
	n := 0
	situations(func(s situation) {
		n++
		got := next(s.row, s.k, s.now)
		if again := next(s.row, s.k, s.now); !reflect.DeepEqual(got, again) {
			t.Fatalf("%s: another answer the second time", s)
		}
		for rule, kept := range rules(s, got) {
			if !kept {
				t.Errorf("%s is broken: %s gives %+v", rule, s, got)
			}
		}
	})
	if n < 5000 {
		t.Fatalf("only %d situations", n)
	}
}

// rules lists which rules a step keeps.
func rules(s situation, got step) map[string]bool {
	k, fresh := s.k, s.row != nil && s.row.State == ""
	idle := fresh || s.row != nil && s.row.State == Waiting && k.verdict == nil
	finding := Finding(0)
	if k.verdict != nil {
		finding = k.verdict.Finding
	}
	ends := func(st State) bool { return got.move == end && got.outcome.State == st }
	implies := func(a, b bool) bool { return !a || b }
	return map[string]bool{
		"A1: only what is open, may be sent and is not being called is called": implies(got.move == call,
			idle && k.open && k.refusal == nil && !k.missing && !k.broken && !s.late),
		"A1: what may have arrived is repeated only where that is harmless": implies(got.move == wait && (finding == Unsure || k.abandoned), k.repeatable),
		"A1: what was taken, or refused for good, is never called again": implies(got.move == wait || got.move == call,
			finding != Taken && finding != Rejected),
		"A2: a call ends, or waits":                         implies(k.verdict != nil && !k.lost, got.move == end || got.move == wait),
		"A2: a new row is never left alone":                 implies(fresh, got.move != stay),
		"A2: what only we know is published":                implies(k.lost && finding == Taken && (s.row == nil || !s.row.State.Final() || s.row.State == Unknown), ends(Sent)),
		"A2: what is refused ends":                          implies(idle && (k.refusal != nil || k.missing || k.broken || s.late), got.move == end),
		"A5: sent is what was taken":                        implies(ends(Sent), finding == Taken),
		"A5: what was called fails by its answer":           implies(ends(Failed) && !idle, finding == Rejected || finding == Deferred && k.lost),
		"A6: unknown is what was called":                    implies(ends(Unknown), finding == Unsure || k.abandoned),
		"EXPIREWAITING: only what waits, or is new":         implies(ends(Expired), idle && s.late),
		"DEADLINE: another's call is left alone until then": implies(s.row != nil && s.row.State == Calling && k.verdict == nil && !k.abandoned, got.move == stay),
		"OUTCOME: what waited ends in its row":              implies(got.move == end && !k.lost && s.row.Waited, got.written),
		"OUTCOME: a failure is found by the later part":     implies(ends(Failed) && !k.lost && s.row.Part == 0, got.written),
		"WRITEUNKNOWN: a call is given up in its row":       implies(k.abandoned && got.move == end, got.written),
		"a fast send is one write":                          implies(ends(Sent) && !k.lost && !s.row.Waited && !k.keyless, !got.written),
		"DONE: what has no key ends in its row":             implies(got.move == end && k.keyless && !k.lost, got.written),
		"LINGER: what has no key waits for the call before": got.lingers == (got.move == wait && finding == Unsure && k.keyless),
		"a row that is lost is not written":                 implies(k.lost, got.move == stay || got.move == end && !got.written),
		"a row that has ended keeps its end":                implies(k.lost && s.row != nil && s.row.State.Final() && s.row.State != Unknown, got.move == stay),
	}
}
