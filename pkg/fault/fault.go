// Package fault classifies errors by what the caller should do about them.
//
// An error is classified once, at the edge that understands it (an adapter's Settle, a driver, a handler), and wrapped
// everywhere else with fmt.Errorf("…: %w", err).
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Kind says what to do with a failure, not where it came from.
type Kind uint8

// The kinds. The zero value is Internal: an error that nobody classified is our own mistake.
const (
	Internal    Kind = iota // our mistake: log, alert, dead letter
	Invalid                 // the input is wrong: refuse or dead-letter, never retry
	Denied                  // credentials, signature or permission: never retry, tell the operator
	Gone                    // the thing or the recipient is not there (any more): never retry
	Conflict                // the state does not allow it now: read again, decide again
	Throttled               // documented as refused because of a limit: retry after After
	Unavailable             // provably not done (dial failure, documented refusal, our store is down): retry with backoff
	Window                  // the channel's messaging window does not allow it: offer the alternative
	Unknown                 // may or may not have happened: never repeat blindly
)

var names = [...]string{"internal", "invalid", "denied", "gone", "conflict", "throttled", "unavailable", "window", "unknown"}

// String returns the kind's name as it stands in events and metrics.
func (k Kind) String() string {
	if k == none {
		return "none"
	}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Retryable reports whether the same call may be made again without harm.
func (k Kind) Retryable() bool { return k == Throttled || k == Unavailable }

// Scope says what a limit holds back.
type Scope string

// The scopes of a Throttled error. The zero value is a provider that does not say: what else is refused shows it.
const (
	ScopePeer    Scope = "peer"    // this recipient
	ScopeChannel Scope = "channel" // everything that the channel sends
	ScopeAccount Scope = "account" // everything that the provider's account sends
)

// Error is a classified failure.
type Error struct {
	Kind     Kind
	Code     string        // stable and catalogued: ours ("reassign_too_early") or, from Settle, our word for the provider's code
	Pointer  string        // JSON pointer of the field that is wrong, for Invalid
	Provider string        // the provider's own code, if it gave one
	After    time.Duration // for Throttled: wait at least this long; zero means unknown
	Scope    Scope         // for Throttled: what the limit holds back
	// Detail is what a caller may be told besides the code. New, At, Later and Because set it; an error that was wrapped by a
	// literal has none, because drivers and the operating system put paths, addresses and names of secrets into theirs.
	Detail string
	Extra  map[string]any // what a caller is told besides, by name: further members of the problem (RFC 9457)
	Err    error          // for the log
}

// Shown is an error as people see it; nil for none: its code and its Detail.
func (e *Error) Shown() *event.Error {
	if e == nil {
		return nil
	}
	out := &event.Error{Kind: e.Kind.String(), Code: e.Code, ProviderCode: e.Provider, Detail: e.Detail, Retryable: e.Kind.Retryable()}
	if out.Code == "" {
		out.Code = out.Kind
	}
	return out
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Code != "" && e.Err != nil:
		return fmt.Sprintf("%s (%s): %v", e.Kind, e.Code, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", e.Kind, e.Err)
	}
	return fmt.Sprintf("%s (%s)", e.Kind, e.Code)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an Error of the given kind with a stable code and a formatted text, which callers may read. Errors among args are
// for the log alone: of them the text that callers read has only their own Detail.
func New(k Kind, code, format string, args ...any) *Error {
	return &Error{Kind: k, Code: code, Detail: detail(format, args), Err: fmt.Errorf(format, args...)}
}

// At returns an Invalid error about one field, named by JSON pointer.
func At(pointer, code, format string, args ...any) *Error {
	e := New(Invalid, code, format, args...)
	e.Pointer = pointer
	return e
}

// Later returns a Throttled error: the same call may be made after that time.
func Later(code string, after time.Duration, format string, args ...any) *Error {
	e := New(Throttled, code, format, args...)
	e.After = after
	return e
}

// Because returns an Error whose cause is for the log and whose text is for callers.
func Because(cause error, k Kind, code, format string, args ...any) *Error {
	e := New(k, code, format, args...)
	e.Err = fmt.Errorf("%s: %w", e.Detail, cause)
	return e
}

// detail formats what callers may read: each error among args is replaced by its own Detail.
func detail(format string, args []any) string {
	isError := func(a any) bool { _, is := a.(error); return is }
	if !slices.ContainsFunc(args, isError) {
		return fmt.Sprintf(format, args...)
	}
	shown := slices.Clone(args)
	for i, a := range args {
		if err, is := a.(error); is {
			shown[i] = ""
			if e, classified := errors.AsType[*Error](err); classified {
				shown[i] = e.Detail
			}
		}
	}
	return strings.TrimRight(fmt.Sprintf(strings.ReplaceAll(format, "%w", "%s"), shown...), ": ")
}

// Of reports the first *Error in err's chain, or one of kind Internal that wraps err. Of(nil) is nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", Err: err}
}

// none is the kind of no error; it is none of the others.
const none Kind = 255

// KindOf reports the kind of the first *Error in err's chain, or Internal. No error is of no kind.
func KindOf(err error) Kind {
	if err == nil {
		return none
	}
	return Of(err).Kind
}

// Is reports whether err is classified as k. A nil error is of no kind.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
