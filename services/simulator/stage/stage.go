// Package stage puts calls to a simulated provider through the account's script: what is late, refused, lost or cut.
package stage

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/due"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// Answer is what a provider says.
type Answer struct {
	Status     int
	Code       int             // the provider's error, 0 for none
	RetryAfter int             // seconds
	Body       any             // written as JSON; a string as it is
	Type       string          // of a string, its media type; empty: a page
	Message    *ledger.Message // what was accepted by this call, if it was a message
	Done       func()          // called once the message is in the ledger
}

// Act is a call that was read: what it is, and what it does if nothing intervenes.
type Act struct {
	Name, To, Kind, Ref string
	Do                  func() Answer
}

// Words is how a provider says no.
type Words interface {
	Failure(f *account.Failure) Answer
	Throttled(scope string, wait time.Duration) Answer
}

// Stage is shared by the providers.
type Stage struct {
	Ledger *ledger.Ledger
	Hooks  *webhook.Poster
	Now    func() time.Time
}

// Play answers one call for an account. read takes the request apart; it is not called if the connection is cut before.
func (s *Stage) Play(w http.ResponseWriter, r *http.Request, a *account.Account, name string, words Words, read func() Act) {
	began := s.Now()
	script := a.Script()
	note := &ledger.Call{Of: a, Name: name, At: began.UTC(), Method: r.Method, Path: shown(r.URL.Path, a.Config())}
	defer func() {
		note.TookMS = s.Now().Sub(began).Milliseconds()
		s.Ledger.Note(note)
	}()
	if script.Reset.Take() {
		note.Outcome = "reset"
		panic(http.ErrAbortHandler)
	}
	act := read()
	note.Name, note.To, note.Kind, note.Ref = act.Name, act.To, act.Kind, act.Ref
	if !due.Sleep(r.Context(), script.Delay()) {
		note.Outcome = "reset"
		return
	}
	answer := s.decide(script, act, words)
	note.Status, note.Code, note.Outcome = answer.Status, answer.Code, outcome(answer)
	if note.Outcome == "refused" {
		note.Answer = encode(answer.Body)
	}
	if m := answer.Message; m != nil {
		m.Of, m.At = a, s.Now().UTC()
		s.Ledger.Accept(m)
		note.Message = m.ID
		if answer.Done != nil {
			answer.Done()
		}
		if script.Lose.Take() {
			note.Status, note.Outcome = 0, "lost"
			panic(http.ErrAbortHandler)
		}
	}
	Write(w, answer)
}

func (s *Stage) decide(script *account.Script, act Act, words Words) Answer {
	if script.Fail.Hits(act.Name, act.To) {
		return words.Failure(script.Fail)
	}
	if scope, wait := script.Throttle.Exceeded(act.To, s.Now()); scope != "" {
		return words.Throttled(scope, wait)
	}
	return act.Do()
}

func outcome(a Answer) string {
	if a.Status >= 200 && a.Status < 300 && a.Code == 0 {
		return "accepted"
	}
	return "refused"
}

// Write answers.
func Write(w http.ResponseWriter, a Answer) {
	if a.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.RetryAfter))
	}
	if text, ok := a.Body.(string); ok {
		w.Header().Set("Content-Type", cmp.Or(a.Type, "text/html; charset=utf-8"))
		w.WriteHeader(a.Status)
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	_, _ = w.Write(encode(a.Body))
}

func encode(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own types: cannot fail
	}
	return b
}

// shown is the path of a call as people may see it: below the provider's base, with dots in place of the account's secrets.
func shown(path string, c *account.Config) string {
	path = strings.TrimPrefix(path, "/simulator/"+c.Base)
	for _, secret := range c.Secrets {
		if secret != "" {
			path = strings.ReplaceAll(path, secret, "…")
		}
	}
	return path
}

// Read reads a body of at most limit bytes; ok is false if there is more, or the client went away.
func Read(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	return body, err == nil
}
