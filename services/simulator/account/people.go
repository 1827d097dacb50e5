package account

import (
	"sync"
	"time"
)

// maxPeople is how many people an account remembers; beyond that somebody is forgotten, which costs a default target at most.
const maxPeople = 100_000

// Person is what a provider knows about somebody (or a group) who writes to an account.
type Person struct {
	Wrote   time.Time // the latest message; zero: never
	LastIn  string    // the id of it
	LastOut string    // of the latest message to them
	Offered []Choice  // the buttons of the latest message that had any
	OfferID string    // the id of that message
	Blocked bool      // they blocked the account
	Seen    bool      // they did something with the account
	Name    string    // as they called themselves last
	Author  string    // who wrote last: in a group one of its people
	number  int64     // of the latest message in the chat
}

// Choice is a button or a row of a list.
type Choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// People are all who ever wrote to an account, or were written to.
type People struct {
	mu sync.Mutex
	of map[string]*Person
}

// Change lets f read and change what is known about somebody. f must not call back.
func (p *People) Change(id string, f func(*Person)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.of[id]
	if who == nil {
		if len(p.of) >= maxPeople {
			for k := range p.of { // any will do
				delete(p.of, k)
				break
			}
		}
		who = &Person{}
		p.of[id] = who
	}
	f(who)
}

// Known is what is known about somebody.
func (p *People) Known(id string) (who Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.of[id]; known != nil {
		who = *known
	}
	return who
}

// Got notes the latest message to somebody, and what it gives them to choose from.
func (w *Person) Got(id string, choices []Choice) {
	w.LastOut = id
	if len(choices) > 0 {
		w.Offered, w.OfferID = choices, id
	}
}

// Number is the next message number of a chat. It starts with the clock, so that a chat that was forgotten, or a process that
// was started again, does not give a number twice.
func (w *Person) Number(now time.Time) int64 {
	w.number = max(w.number+1, now.UnixMilli())
	return w.number
}
