package channeltest

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
)

func (p Proof) value(in channel.Inbound) string {
	switch {
	case p.Header != "":
		return in.Header.Get(p.Header)
	case p.Form != "":
		return form(in).Get(p.Form)
	}
	return in.Query.Get(p.Query)
}

// form is the body of a call, if it is one.
func form(in channel.Inbound) url.Values {
	if !strings.HasPrefix(in.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	f, _ := url.ParseQuery(string(in.Body)) // what cannot be read is not there
	return f
}

func (p Proof) set(in *channel.Inbound, v string) {
	switch {
	case p.Header != "":
		in.Header.Set(p.Header, v)
	case p.Form != "":
		if f := form(*in); f != nil {
			f.Set(p.Form, v)
			in.Body = []byte(f.Encode())
		}
	default:
		in.Query.Set(p.Query, v)
	}
}

func (p Proof) String() string {
	switch {
	case p.Header != "":
		return "header " + p.Header
	case p.Form != "":
		return "field " + p.Form
	}
	return "parameter " + p.Query
}

// proved checks that an accepted call is refused once its proof is gone, forged, or does not fit its body, and that both
// values of a secret are taken while it is rotated.
func (r *runner) proved(t *testing.T, c *golden, in channel.Inbound) {
	t.Helper()
	present := slices.DeleteFunc(slices.Clone(r.proofs), func(p Proof) bool { return p.value(in) == "" })
	switch {
	case in.Pulled || c.unproved:
		return
	case len(present) == 0:
		t.Errorf("%s: accepted, but nothing proves where it comes from", c.path)
		return
	}
	bare := copied(in)
	for _, p := range present {
		p.drop(&bare)
	}
	r.mustRefuse(t, c.ch, bare, "without any proof")
	for _, f := range []func(string) string{func(string) string { return "x" }, flipLast} {
		forged := copied(in)
		for _, p := range present {
			p.set(&forged, f(p.value(in)))
		}
		r.mustRefuse(t, c.ch, forged, "with a forged proof")
	}
	r.mustRefuse(t, emptied(c.ch), in, "by a channel whose secrets are empty")
	if res := r.read(rotated(c.ch), in); res.refused() {
		t.Errorf("%s: refused while the secret is rotated: the old value must count too", c.path)
	}
	if !slices.ContainsFunc(present, func(p Proof) bool { return p.Sign == nil || p.Loose }) {
		r.flips(t, c, in)
	}
}

// flips changes bytes of a signed body.
func (r *runner) flips(t *testing.T, c *golden, in channel.Inbound) {
	t.Helper()
	step := max(1, len(in.Body)/64)
	for i := 0; i < len(in.Body) && !t.Failed(); i += step {
		bad := copied(in)
		bad.Body[i] ^= 1
		r.mustRefuse(t, c.ch, bad, fmt.Sprintf("with byte %d flipped", i))
	}
	longer := copied(in)
	longer.Body = append(longer.Body, '\n')
	r.mustRefuse(t, c.ch, longer, "with a byte added")
}

func (r *runner) mustRefuse(t *testing.T, ch channel.Keyed, in channel.Inbound, how string) {
	t.Helper()
	if res := r.read(ch, in); !res.refused() {
		t.Errorf("accepted %s", how)
	}
}

func (p Proof) drop(in *channel.Inbound) {
	switch {
	case p.Header != "":
		in.Header.Del(p.Header)
	case p.Form != "":
		if f := form(*in); f.Has(p.Form) {
			f.Del(p.Form)
			in.Body = []byte(f.Encode())
		}
	default:
		in.Query.Del(p.Query)
	}
}

func copied(in channel.Inbound) channel.Inbound {
	in.Body = bytes.Clone(in.Body)
	in.Header = in.Header.Clone()
	q := url.Values{}
	for k, v := range in.Query {
		q[k] = slices.Clone(v)
	}
	in.Query = q
	return in
}

func flipLast(s string) string {
	b := []byte(s)
	if b[len(b)-1] == '0' {
		b[len(b)-1] = '1'
	} else {
		b[len(b)-1] = '0'
	}
	return string(b)
}

func emptied(ch channel.Keyed) channel.Keyed {
	ch.Secrets = maps.Clone(ch.Secrets)
	for k := range ch.Secrets {
		ch.Secrets[k] = []string{""}
	}
	return ch
}

func rotated(ch channel.Keyed) channel.Keyed {
	ch.Secrets = maps.Clone(ch.Secrets)
	for k, v := range ch.Secrets {
		ch.Secrets[k] = append([]string{"the-next-" + k}, v...)
	}
	return ch
}
