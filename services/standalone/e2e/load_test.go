package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// load is what customers and agents do: every peer writes and is answered, in turns. Whatever is not acknowledged is done again
// with the same id, as providers and clients do it, so in the end all of it must be there once, in the order of doing.
type load struct {
	*test
	account party
	peers   int
	rounds  int // of a peer: one webhook and one answer each
	pause   time.Duration

	mu       sync.Mutex
	webhooks map[string][]string // acknowledged ids, by peer, in order
	answers  map[string][]answer // acknowledged, by peer, in order
	tries    int
	failed   int           // tries that were not acknowledged
	slowest  time.Duration // until any answer to a webhook
	odd      map[int]int   // statuses of webhooks other than 200 and 503; 0 and 502: nobody was there
}

type answer struct{ id, text string }

// party is an account at a provider: people who write, and what the provider took for them.
type party interface {
	peer(i int) string
	write(t *test, peer, id, text string) int // posts a message's webhook and returns the status of its answer
	accepted(text string) int                 // how often the provider took it
	receipts() int                            // that were acknowledged
	tells() bool                              // the provider reports what becomes of what it took, until it is read
}

func newLoad(t *test, a party, peers, rounds int) *load {
	return &load{test: t, account: a, peers: peers, rounds: rounds, webhooks: map[string][]string{}, answers: map[string][]answer{}, odd: map[int]int{}}
}

// run returns when everything is acknowledged, or with the context.
func (l *load) run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range l.peers {
		all.Go(func() { l.person(ctx, l.account.peer(i)) })
	}
	all.Wait()
}

func (l *load) person(ctx context.Context, peer string) {
	conversation := ""
	for r := 0; r < l.rounds && ctx.Err() == nil; r++ {
		id := fmt.Sprintf("wamid.in.%s.%d", peer, r)
		l.insist(ctx, func() bool { return l.write(peer, id) })
		if r%3 == 2 {
			l.write(peer, id) // the provider did not hear us
		}
		l.insist(ctx, func() bool {
			if conversation == "" {
				if c := l.find(peer); c != nil {
					conversation = c.ID
				}
			}
			return conversation != ""
		})
		key := fmt.Sprintf("answer-%s-%d", peer, r)
		l.insist(ctx, func() bool { return l.reply(ctx, peer, conversation, key) })
		if l.pause > 0 {
			sleep(ctx, l.pause)
		}
	}
}

// insist does something until it is done.
func (l *load) insist(ctx context.Context, do func() bool) {
	for ctx.Err() == nil && !do() {
		sleep(ctx, 50*time.Millisecond)
	}
}

// write posts a message's webhook and reports whether it is acknowledged.
func (l *load) write(peer, id string) bool {
	began := time.Now()
	status := l.account.write(l.test, peer, id, "text "+id)
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries++
	l.slowest = max(l.slowest, took)
	if status != 200 {
		l.failed++
		if status != 503 {
			l.odd[status]++
		}
		return false
	}
	if w := l.webhooks[peer]; len(w) == 0 || w[len(w)-1] != id {
		l.webhooks[peer] = append(w, id)
	}
	return true
}

// reply answers, under an idempotency key that is the text as well.
func (l *load) reply(ctx context.Context, peer, conversation, key string) bool {
	var m message
	err := l.call(ctx, "POST", "/v1/conversations/"+conversation+"/messages", key, map[string]string{"text": key}, &m)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries++
	if err != nil {
		l.failed++
		return false
	}
	l.answers[peer] = append(l.answers[peer], answer{m.ID, key})
	return true
}

// events is how much was acknowledged so far.
func (l *load) events() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.account.receipts()
	for _, w := range l.webhooks {
		n += len(w)
	}
	for _, a := range l.answers {
		n += len(a)
	}
	return n
}
