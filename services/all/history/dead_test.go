package history

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
)

// hang lets the provider of a type hang until what it returns is called, or the test ends.
func (p *provider) hang(t *testing.T, kind string) (wake func()) {
	hold := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold, p.holds = hold, kind
	wake = sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold, p.holds = nil, ""
		p.mu.Unlock()
		close(hold)
	})
	t.Cleanup(wake)
	return wake
}

// TestP12_ADeadProviderOfEachTypeDelaysNoOther lets the provider of one type after the other hang: people of that type still arrive, and the
// answers of all others leave meanwhile.
func TestP12_ADeadProviderOfEachTypeDelaysNoOther(t *testing.T) {
	l := calm(t, 1)
	defer l.ahead.Store(0)
	f := proof.Figures{}
	for round, dead := range l.people {
		if dead.kind == "webchat" { // it has no provider
			continue
		}
		f.Faults++
		wake := l.provider.hang(t, dead.kind)
		// What was answered is counted for what a customer writes next if that is within a second, or within what the nodes' clocks differ by.
		l.ahead.Add(int64(2 * skew))
		for i := range l.people {
			l.insist(i, i, round+1)
		}
		l.eventually("everybody's message is there while "+dead.kind+" hangs", func() bool {
			got := l.found()
			for i := range l.people {
				if got[l.text(i, round+1)] == 0 {
					return false
				}
			}
			return true
		})
		text := func(i int) string { return fmt.Sprintf("to %s while %s hangs", l.people[i].kind, dead.kind) }
		for i, p := range l.people {
			if p.kind == "webchat" {
				continue
			}
			l.must("POST", "/v1/conversations/"+l.conversationOf(0, i)+"/messages", text(i), map[string]string{"text": text(i)}, nil)
		}
		f.Events += 2*len(l.people) - 1
		l.eventually("the answers of all other types leave while "+dead.kind+" hangs", func() bool {
			there := l.messages()
			for i, p := range l.people {
				if p.kind != dead.kind && p.kind != "webchat" && there[text(i)].Status.Rank() < event.Accepted.Rank() {
					return false
				}
			}
			return true
		})
		if m := l.messages()[text(round)]; m.Status.Rank() >= event.Accepted.Rank() {
			t.Errorf("%s is %s, although its provider has answered nothing", m.Text, m.Status)
		}
		wake()
		l.eventually("the answer of "+dead.kind+" has a fate", func() bool { return l.messages()[text(round)].Status != event.Queued })
	}
	proof.Report(t, f)
}

// posts posts a body to a channel, signed.
func (l *life) posts(kind, id string, body []byte) (status int, said string) {
	req, err := http.NewRequest(http.MethodPost, l.url(0)+"/webhooks/"+kind+"/"+id, bytes.NewReader(body))
	l.ok(err)
	kinds[kind].sign(l, req, body)
	return l.ask(req)
}

// TestBadInputOfOneTypeTouchesNoOther posts what no provider sends, correctly signed, to a channel of every type while people write on all of
// them: each call is answered, none with trouble of ours, and everybody's messages are there.
func TestBadInputOfOneTypeTouchesNoOther(t *testing.T) {
	l := calm(t, 1)
	bad := channeltest.BadBodies()
	bad["too large"] = bytes.Repeat([]byte("x"), 8<<20)
	var bads, all sync.WaitGroup
	for kind, id := range l.channels {
		if kind == "webchat" {
			continue
		}
		bads.Go(func() {
			for name, body := range bad {
				want := http.StatusOK
				if name == "too large" {
					want = http.StatusRequestEntityTooLarge
				}
				status, said := l.posts(kind, id, body)
				for end := time.Now().Add(patience); (status == 0 || status == http.StatusServiceUnavailable) && time.Now().Before(end); {
					status, said = l.posts(kind, id, body) // a busy machine asks for it again, as providers do
				}
				if status != want {
					t.Errorf("%s, %s: answered %d %s, want %d", kind, name, status, said, want)
				}
			}
		})
	}
	for i := range l.people {
		all.Go(func() {
			for n := 1; n <= 5; n++ {
				l.insist(i, i, n)
			}
		})
	}
	all.Wait()
	bads.Wait()
	l.eventually("everybody's messages are there", func() bool {
		got := l.found()
		for i := range l.people {
			for n := 1; n <= 5; n++ {
				if got[l.text(i, n)] == 0 {
					return false
				}
			}
		}
		return true
	})
	if got, want := len(l.found()), 5*len(l.people); got != want {
		t.Errorf("%d messages, want %d: nothing came of the rest", got, want)
	}
}
