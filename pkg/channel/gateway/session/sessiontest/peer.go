package sessiontest

import (
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// Act is what the peer does with a call.
type Act struct {
	Status int  // 0: 200
	Taken  bool // the message arrives although the status says otherwise, or no answer comes
	Cut    bool // the connection is cut instead of an answer
	Silent bool // no answer
	After  string
	Wait   chan struct{} // the answer comes when it is closed
}

// Peer is the provider: a server that remembers what reached a person, and brings what was not acknowledged again with the next bind.
type Peer struct {
	t    testing.TB
	l    net.Listener
	over chan struct{}
	busy sync.WaitGroup

	mu      sync.Mutex
	pass    string
	frozen  bool
	script  func(body []byte, call int) Act
	calls   map[string]int
	taken   [][]byte
	binds   map[*bound]bool
	most    int
	ever    int
	unbinds int
	asked   int // enquiries
	denied  int
	deaf    int // acknowledgements that get lost, each with its connection
	pushes  []*Push
}

// Push is something that the peer says.
type Push struct {
	Body    []byte
	mu      sync.Mutex
	answers []int
}

// Answers are the statuses with which it was answered, the last one 200 once it is acknowledged.
func (p *Push) Answers() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.answers)
}

// Acknowledged reports whether the peer was told that we have it.
func (p *Push) Acknowledged() bool { return slices.Contains(p.Answers(), 200) }

// NewPeer starts a peer that ends with the test, and takes binds with that password.
func NewPeer(t testing.TB, pass string) *Peer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{t: t, l: l, pass: pass, over: make(chan struct{}), calls: map[string]int{}, binds: map[*bound]bool{}}
	p.busy.Go(p.accept)
	t.Cleanup(p.Close)
	return p
}

// URL is where channels find the peer.
func (p *Peer) URL() string { return Scheme + "://" + p.l.Addr().String() }

// Close ends the peer, and whatever it does.
func (p *Peer) Close() {
	select {
	case <-p.over:
		return
	default:
	}
	close(p.over)
	_ = p.l.Close()
	p.Cut()
	p.busy.Wait()
}

func (p *Peer) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.busy.Go(func() { p.serve(&bound{Conn: c, pending: map[uint32]*Push{}}) })
	}
}

// bound is one connection.
type bound struct {
	net.Conn
	writes  sync.Mutex
	seq     uint32
	pending map[uint32]*Push // sent, and not answered; under the peer's lock
}

func (b *bound) put(f frame) {
	b.writes.Lock()
	defer b.writes.Unlock()
	_, _ = b.Write(encode(f)) // a peer that is cut off reads that itself
}

func (p *Peer) serve(b *bound) {
	defer func() { _ = b.Close() }()
	f, err := decode(b)
	if err != nil {
		return
	}
	status, again := p.bind(b, f)
	b.put(frame{Kind: answer, Seq: f.Seq, Status: status})
	if status != 200 {
		return
	}
	defer p.note(func() { delete(p.binds, b) })
	for _, push := range again {
		p.send(b, push)
	}
	for {
		f, err := decode(b)
		if err != nil || !p.handle(b, f) {
			return
		}
	}
}

func (p *Peer) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// bind takes a bind, and returns what is to be brought again.
func (p *Peer) bind(b *bound, f frame) (status int, again []*Push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Kind != "bind" || f.Pass != p.pass {
		p.denied++
		return 401, nil
	}
	p.binds[b] = true
	p.ever++
	p.most = max(p.most, len(p.binds))
	for _, push := range p.pushes {
		if !push.Acknowledged() {
			again = append(again, push)
		}
	}
	return 200, again
}

// handle reports whether the connection goes on.
func (p *Peer) handle(b *bound, f frame) bool {
	for p.stopped() {
		select {
		case <-p.over:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	switch f.Kind {
	case "enquire":
		p.note(func() { p.asked++ })
		b.put(frame{Kind: answer, Seq: f.Seq, Status: 200})
	case "unbind":
		p.note(func() { p.unbinds++; delete(p.binds, b) })
		b.put(frame{Kind: answer, Seq: f.Seq, Status: 200})
		return false
	case answer:
		if p.loses(f) {
			return false
		}
		p.answered(b, f)
	case "submit":
		return p.submit(b, f)
	}
	return true
}

func (p *Peer) submit(b *bound, f frame) bool {
	a := p.decide(f.Body)
	if a.Taken || a.Status == 0 && !a.Cut && !a.Silent {
		p.note(func() { p.taken = append(p.taken, f.Body) })
	}
	switch {
	case a.Cut:
		return false
	case a.Silent:
		return true
	}
	if a.Status == 0 {
		a.Status = 200
	}
	out := frame{Kind: answer, Seq: f.Seq, Status: a.Status, After: a.After, Body: append([]byte("ref of "), f.Body...)}
	if a.Wait == nil {
		b.put(out)
		return true
	}
	p.busy.Go(func() {
		select {
		case <-a.Wait:
			b.put(out)
		case <-p.over:
		}
	})
	return true
}

func (p *Peer) decide(body []byte) Act {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[string(body)]++
	if p.script == nil {
		return Act{}
	}
	return p.script(body, p.calls[string(body)])
}

// answered notes how a push was answered. What is not acknowledged is brought again at once if it is to be.
func (p *Peer) answered(b *bound, f frame) {
	p.mu.Lock()
	push := b.pending[f.Seq]
	delete(b.pending, f.Seq)
	p.mu.Unlock()
	if push == nil {
		return
	}
	push.mu.Lock()
	push.answers = append(push.answers, f.Status)
	push.mu.Unlock()
	if f.Status == 503 {
		p.busy.Go(func() {
			select {
			case <-time.After(5 * time.Millisecond):
				p.send(b, push)
			case <-p.over:
			}
		})
	}
}

func (p *Peer) send(b *bound, push *Push) {
	p.mu.Lock()
	b.seq++
	seq := b.seq
	b.pending[seq] = push
	p.mu.Unlock()
	b.put(frame{Kind: "deliver", Seq: seq, Body: push.Body})
}

// Push says something to whoever is bound, now or later, until it is acknowledged.
func (p *Peer) Push(body []byte) *Push {
	push := &Push{Body: body}
	p.mu.Lock()
	p.pushes = append(p.pushes, push)
	var to *bound
	for b := range p.binds {
		to = b
	}
	p.mu.Unlock()
	if to != nil {
		p.send(to, push)
	}
	return push
}

// Raw writes bytes to everybody who is bound.
func (p *Peer) Raw(b []byte) { p.each(func(c *bound) { _, _ = c.Write(b) }) }

// Cut cuts every connection.
func (p *Peer) Cut() { p.each(func(c *bound) { _ = c.Close() }) }

func (p *Peer) each(f func(*bound)) {
	p.mu.Lock()
	var all []*bound
	for b := range p.binds {
		all = append(all, b)
	}
	p.mu.Unlock()
	for _, b := range all {
		f(b)
	}
}

// Freeze lets the peer read no more, until it is called again with false.
func (p *Peer) Freeze(on bool) { p.note(func() { p.frozen = on }) }

func (p *Peer) stopped() bool { return get(p, func() bool { return p.frozen }) }

// Script decides about the nth call (1 …) of a body; nil takes all.
func (p *Peer) Script(script func(body []byte, call int) Act) { p.note(func() { p.script = script }) }

// Password changes what binds must have.
func (p *Peer) Password(pass string) { p.note(func() { p.pass = pass }) }

// Taken lists what reached people, in order.
func (p *Peer) Taken() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.taken {
		out = append(out, string(b))
	}
	return out
}

// Binds tells how many binds there are, were at once at most, and ever.
func (p *Peer) Binds() (now, most, ever int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.binds), p.most, p.ever
}

// Unbinds tells how many binds ended in order.
func (p *Peer) Unbinds() int { return get(p, func() int { return p.unbinds }) }

// Enquiries tells how often the peer was asked whether it lives.
func (p *Peer) Enquiries() int { return get(p, func() int { return p.asked }) }

// Denied tells how many binds were refused.
func (p *Peer) Denied() int { return get(p, func() int { return p.denied }) }

// Deafen lets the next n acknowledgements get lost, each with its connection.
func (p *Peer) Deafen(n int) { p.note(func() { p.deaf = n }) }

// loses reports whether an acknowledgement gets lost.
func (p *Peer) loses(f frame) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Status != 200 || p.deaf == 0 {
		return false
	}
	p.deaf--
	return true
}

func get[T any](p *Peer, f func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return f()
}
