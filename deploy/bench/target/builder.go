package target

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Plan is a target ready for use. Builders of it may be used at once.
type Plan struct {
	Target
	base           string // http://host:port
	path, head     []piece
	body, ref      []piece
	secret, prefix []byte
	key, app       string // of Sign
	run            string
	first          int64
	hostTxt        string
}

// piece is literal text, or a place.
type piece struct {
	text  string
	place string
}

// Plan compiles the target. run tells the calls of this run from those of all others; first is the number of call 0.
func (t *Target) Plan(run string, first int64) (*Plan, error) {
	fixed := t.fix
	h, path, err := host(fixed(t.URL))
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Name, err)
	}
	p := &Plan{Target: *t, run: run, first: first, hostTxt: h, secret: []byte(fixed(t.Sign.Secret)), prefix: []byte(t.Sign.Prefix),
		key: fixed(t.Sign.Key), app: fixed(t.Sign.App)}
	p.base = fixed(t.URL)[:strings.Index(fixed(t.URL), "://")+3] + h
	var head strings.Builder
	names := make([]string, 0, len(t.Header))
	for k := range t.Header {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		head.WriteString(k + ": " + t.Header[k] + "\r\n")
	}
	for _, x := range []struct {
		to   *[]piece
		text string
	}{{&p.path, path}, {&p.head, fixed(head.String())}, {&p.body, fixed(t.Body)}, {&p.ref, fixed(t.Ref)}} {
		if *x.to, err = p.split(x.text); err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
	}
	return p, nil
}

// fix fills in what is the same for all calls.
func (t *Target) fix(s string) string {
	for k, v := range t.Vars {
		s = strings.ReplaceAll(s, "{{"+k+"}}", v)
	}
	return strings.ReplaceAll(s, "{{text}}", t.Text)
}

func (p *Plan) split(s string) (out []piece, err error) {
	for s != "" {
		before, rest, found := strings.Cut(s, "{{")
		if before != "" {
			out = append(out, piece{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed || !p.known(name) {
			return nil, fmt.Errorf("there is no place {{%.30s}}", name)
		}
		out, s = append(out, piece{place: name}), after
	}
	return out, nil
}

func (p *Plan) known(name string) bool {
	switch name {
	case "id", "n", "person", "time":
		return true
	}
	for _, r := range p.Rows {
		if _, ok := r[name]; !ok {
			return false
		}
	}
	return len(p.Rows) > 0
}

// Base is where all calls go: http://host:port.
func (p *Plan) Base() string { return p.base }

// Ref is the reference of call k, as Tributary's adapter composes it, and the row that person has.
func (p *Plan) Ref(k int64) (ref string, row map[string]string) {
	b := p.fill(nil, p.ref, k, 0)
	return string(b), p.row(k)
}

func (p *Plan) row(k int64) map[string]string {
	if len(p.Rows) == 0 {
		return nil
	}
	return p.Rows[p.person(k)%len(p.Rows)]
}

func (p *Plan) person(k int64) int { return int(k % int64(p.People)) }

func (p *Plan) fill(b []byte, pieces []piece, k int64, now int64) []byte {
	for _, x := range pieces {
		switch x.place {
		case "":
			b = append(b, x.text...)
		case "id":
			b = append(b, p.run...)
			b = append(b, '.')
			b = strconv.AppendInt(b, k, 10)
		case "n":
			b = strconv.AppendInt(b, p.first+k, 10)
		case "person":
			b = strconv.AppendInt(b, Person(p.person(k)), 10)
		case "time":
			b = strconv.AppendInt(b, now, 10)
		default:
			b = append(b, p.row(k)[x.place]...)
		}
	}
	return b
}

// Builder makes the bytes of calls; one per connection.
type Builder struct {
	p         *Plan
	mac       hash.Hash
	sealer    *sealer
	body, out []byte
	sum       []byte
}

// Builder returns a new one.
func (p *Plan) Builder() *Builder {
	b := &Builder{p: p}
	switch p.Sign.Scheme {
	case "hmac-sha256":
		b.mac = hmac.New(sha256.New, p.secret)
	case "wechat":
		b.sealer = newSealer(string(p.secret), p.key, p.app)
	}
	return b
}

// Request is the whole of call k, valid until the next one.
func (b *Builder) Request(k int64) []byte {
	p, now := b.p, time.Now().Unix()
	b.body = p.fill(b.body[:0], p.body, k, now)
	query := ""
	if b.sealer != nil {
		b.body, query = b.sealer.seal(b.body, now)
	}
	o := append(b.out[:0], p.Method...)
	o = append(o, ' ')
	o = p.fill(o, p.path, k, now)
	o = append(o, query...)
	o = append(o, " HTTP/1.1\r\nHost: "...)
	o = append(o, p.hostTxt...)
	o = append(o, "\r\nContent-Length: "...)
	o = strconv.AppendInt(o, int64(len(b.body)), 10)
	o = append(o, "\r\n"...)
	o = p.fill(o, p.head, k, now)
	if b.mac != nil {
		b.mac.Reset()
		b.mac.Write(b.body)
		b.sum = b.mac.Sum(b.sum[:0])
		o = append(o, p.Sign.Header...)
		o = append(o, ": "...)
		o = append(o, p.prefix...)
		if p.Sign.Encoding == "base64" {
			o = base64.StdEncoding.AppendEncode(o, b.sum)
		} else {
			o = hex.AppendEncode(o, b.sum)
		}
		o = append(o, "\r\n"...)
	}
	o = append(o, "\r\n"...)
	b.out = append(o, b.body...)
	return b.out
}
