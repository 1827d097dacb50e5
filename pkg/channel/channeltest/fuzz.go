package channeltest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Fuzz feeds bodies to Parse, beginning with those of the golden files. Whatever comes: no panic, the same answer twice, an input
// that stays as it was, events that can be published and are whole, and never more of them than the body could hold.
func Fuzz(f *testing.F, a channel.Adapter, opts ...Option) {
	r := newRunner(f, a, opts)
	seeds := r.seeds(f)
	f.Fuzz(func(t *testing.T, n int, body []byte) {
		s := seeds[uint(n)%uint(len(seeds))]
		in := copied(s.in)
		in.Body = body
		r.survives(t, s.c.ch, in)
		r.steady(t, s.c.ch, in)
		if r.wrap != nil {
			if in, ok := r.wrap(s.c.ch, in); ok {
				r.survives(t, s.c.ch, in)
				r.steady(t, s.c.ch, in)
			}
		}
	})
}

// FuzzVerify feeds bodies and proofs to Verify: it accepts only what was made with the channel's secret.
func FuzzVerify(f *testing.F, a channel.Adapter, opts ...Option) {
	r := newRunner(f, a, opts)
	seeds := r.seeds(f, "", "sha256=", "x")
	f.Fuzz(func(t *testing.T, n int, body []byte, proof string) {
		s := seeds[uint(n)%uint(len(seeds))]
		in := copied(s.in)
		in.Body = body
		if s.c.unproved {
			return
		}
		for _, how := range []func(Proof){nil, func(p Proof) { p.set(&in, proof) }, func(p Proof) { p.drop(&in) }} {
			if how != nil {
				for _, p := range r.proofs {
					how(p)
				}
			}
			before := copied(in)
			err := a.Verify(s.c.ch, in)
			if again := a.Verify(s.c.ch, in); (err == nil) != (again == nil) || !reflect.DeepEqual(before, copied(in)) {
				t.Fatalf("a second look at the same call says %v after %v", again, err)
			}
			if err == nil && !in.Pulled && !r.proven(s.c.ch, in) && !r.turnedAway(s.c.ch, in) {
				t.Fatalf("accepted without a proof: %s %v %v %q", in.Method, in.Query, in.Header, in.Body)
			}
			if err := a.Verify(emptied(s.c.ch), in); err == nil && !in.Pulled && !r.turnedAway(emptied(s.c.ch), in) {
				t.Fatal("accepted by a channel whose secrets are empty")
			}
		}
	})
}

// FuzzSettle feeds answers of a provider to Settle: no panic, the same outcome twice, and nothing is taken for sent that was not
// answered with success.
func FuzzSettle(f *testing.F, a channel.Adapter, opts ...Option) {
	r := newRunner(f, a, opts)
	var calls []call
	for _, c := range r.load(f, "outbound") {
		calls = append(calls, r.chain(f, c, len(calls))...)
	}
	f.Fuzz(func(t *testing.T, n, status int, body []byte) {
		c := calls[uint(n)%uint(len(calls))]
		resp := channel.Response{Status: status, Header: channel.Header{}, Body: body, Tag: c.req.Tag}
		o, err := a.Settle(c.ch, c.msg, c.req, resp)
		again, err2 := a.Settle(c.ch, c.msg, c.req, resp)
		if !reflect.DeepEqual(o, again) || fault.KindOf(err) != fault.KindOf(err2) {
			t.Fatalf("a second Settle gave %+v and %v after %+v and %v", again, err2, o, err)
		}
		refused := (status < 200 || status > 299) && c.msg.Action == nil // that an action is done already may be said as a refusal
		if err == nil && refused && len(o.Next) == 0 {                   // a refusal may say how to do it better
			t.Fatalf("status %d with %q is %+v", status, body, o)
		}
		if err == nil && len(o.Next) == 0 && o.Status != event.Accepted && o.Status != event.Sent {
			t.Fatalf("it ended with status %q: want accepted or sent", o.Status)
		}
	})
}

// seed is a golden call.
type seed struct {
	c  *golden
	in channel.Inbound
}

// seeds loads the golden calls, and adds each with each of the proofs to the corpus.
func (r *runner) seeds(f *testing.F, proofs ...string) (out []seed) {
	for n, c := range r.load(f, "inbound") {
		in := c.request(f, r.proofs)
		out = append(out, seed{c, in})
		if len(proofs) == 0 {
			f.Add(n, in.Body)
		}
		for _, p := range proofs {
			f.Add(n, in.Body, p)
		}
	}
	return out
}

// chain is the calls of a golden message, with the answers of the file, each added to the corpus.
func (r *runner) chain(f *testing.F, c *golden, from int) (out []call) {
	var msg event.Outbound
	if err := json.Unmarshal(c.section(f, "message.json"), &msg); err != nil {
		f.Fatalf("%s: message.json: %v", c.path, err)
	}
	if r.adapter.Info().For(c.ch.Settings).Admit(msg, c.at) != nil {
		return nil
	}
	queue, err := r.adapter.Render(c.ch.Channel, msg)
	for n := 1; err == nil && len(queue) > 0; n++ {
		req := queue[0]
		queue = queue[1:]
		resp := c.response(f, n, req.Tag)
		f.Add(from+len(out), resp.Status, resp.Body)
		out = append(out, call{ch: c.ch.Channel, msg: msg, req: req})
		var o channel.Outcome
		o, err = r.adapter.Settle(c.ch.Channel, msg, req, resp)
		queue = append(slices.Clone(o.Next), queue...)
	}
	return out
}

// steady checks what holds for every body that is parsed.
func (r *runner) steady(t *testing.T, ch channel.Keyed, in channel.Inbound) {
	before := copied(in)
	p, err := r.adapter.Parse(ch, in)
	again, err2 := r.adapter.Parse(ch, in)
	if !reflect.DeepEqual(p, again) || (err == nil) != (err2 == nil) {
		t.Fatalf("a second Parse gave %+v and %v after %+v and %v", again, err2, p, err)
	}
	if !bytes.Equal(before.Body, in.Body) || !reflect.DeepEqual(before.Header, in.Header) {
		t.Fatal("Parse changed its input")
	}
	if err != nil {
		return
	}
	if len(p.Events) > 1+len(in.Body)/2 { // no element of a list takes less than itself and a comma
		t.Fatalf("%d events of %d bytes", len(p.Events), len(in.Body))
	}
	for _, e := range p.Events {
		whole(t, e, len(in.Body))
	}
}

// whole checks an event that any body may have led to.
func whole(t *testing.T, e event.Inbound, body int) {
	switch {
	case e.ChannelID != "" || e.ChannelType != "" || !e.ReceivedAt.IsZero():
		t.Fatalf("%s: the host sets channel and arrival", e.Type)
	case slices.Contains(e.Aliases, e.Peer) && e.Peer != "" || slices.Contains(e.Aliases, ""):
		t.Fatalf("%s: Aliases must be other ids of the peer %q: %q", e.Type, e.Peer, e.Aliases)
	case !complete(e):
		t.Fatalf("%s: the section that its type promises is missing: %+v", e.Type, e)
	}
	first, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("%s: %v", e.Type, err)
	}
	if len(first) > 16*body+2048 { // a byte may be escaped with six, and stand in the text and in Raw
		t.Fatalf("%s has %d bytes of a body of %d", e.Type, len(first), body)
	}
	var back event.Inbound
	if err := json.Unmarshal(first, &back); err != nil {
		t.Fatalf("%s cannot be read again: %v: %s", e.Type, err, first)
	}
	if second, err := json.Marshal(back); err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%s is another after it was read again:\n%s\n%s", e.Type, first, second)
	}
}

// proven reports whether a call carries a proof that only the secret can make, or the secret itself, as the handshakes of some providers do.
func (r *runner) proven(ch channel.Keyed, in channel.Inbound) bool {
	for _, values := range ch.Secrets {
		for _, s := range values {
			if s != "" && bytes.Contains(in.Body, []byte(s)) {
				return true
			}
		}
	}
	return slices.ContainsFunc(r.proofs, func(p Proof) bool {
		got := strings.ToLower(p.value(in))
		if p.Sign != nil {
			return strings.Contains(got, strings.ToLower(p.Sign(ch, in)))
		}
		for key := range ch.Secrets {
			for _, s := range ch.Secrets[key] {
				if s != "" && strings.Contains(p.value(in), s) {
					return true
				}
			}
		}
		return got != "" && p.Loose
	})
}

// turnedAway reports whether the sender of a call that Verify lets pass is told no by Parse, where a handshake proves itself, or whether the
// call carries nothing and is told nothing.
func (r *runner) turnedAway(ch channel.Keyed, in channel.Inbound) bool {
	p, err := r.adapter.Parse(ch, in)
	return len(p.Events) == 0 && (p.Handshake && len(p.Reply.Body) == 0 || p.Reply.Status >= http.StatusBadRequest || err != nil && in.Method == http.MethodGet)
}
