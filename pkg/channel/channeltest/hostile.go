package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// junk are bodies that no provider sends.
var junk = [][]byte{nil, []byte(" "), []byte("{"), []byte("{}"), []byte("[]"), []byte("null"), []byte("true"), []byte(`"x"`), []byte("1e999"),
	bytes.Repeat([]byte("["), 100_000), bytes.Repeat([]byte(`{"a":`), 100_000), []byte("<xml>"), []byte("a=%zz&b"), {0xff, 0xfe, 0}}

// values replace every leaf of a body in turn.
var values = []string{
	`null`, `true`, `-1.5e300`, `"\ud800"`, `[]`, `[null]`, `{}`, `{"x":[{}]}`, "\"caf\xe9 \xc0\xaf \xed\xa0\x80 \xc4\xe3\"", `"\u0000\u202e"`,
}

// noes are how providers refuse, some of them with a status of success.
var noes = []string{
	`{"error":{"code":1,"message":"no"}}`, `{"error":"no"}`, `{"errors":[{"message":"no","detail":"no"}]}`, `{"ok":false,"error_code":400,"description":"no"}`,
	`{"errcode":40001,"errmsg":"no"}`, `{"title":"No","status":403,"detail":"no"}`, `{"message":"no"}`, `{"success":false}`, `{"data":null}`, `{"data":{}}`, `{"data":[]}`,
	`{"messages":[]}`, `{"messages":[{}]}`, `{"result":null}`, `{"message_id":""}`, `{"id":null}`, `{"sentMessages":[]}`,
}

// hostile checks that no body, and no answer of a provider, makes the adapter panic or break its promises.
func (r *runner) hostile(t *testing.T) {
	for name, ch := range r.channels {
		for n, body := range junk {
			for _, method := range []string{"GET", "POST"} {
				t.Run(fmt.Sprintf("junk/%s/%s/%d", name, method, n), func(t *testing.T) {
					in := channel.Inbound{Method: method, Header: channel.Header{}, Body: body, At: At}
					r.survives(t, ch, in)
					if r.adapter.Verify(ch, in) == nil && method == "POST" && len(r.proofs) > 0 {
						t.Error("Verify accepts a call that proves nothing")
					}
				})
			}
		}
	}
	paths := map[string]bool{} // a place that many bodies have is spoilt once
	for _, res := range r.accepted {
		places := leaves(res.in.Body, paths)
		t.Run("body/"+res.c.name, func(t *testing.T) {
			t.Parallel()
			for body := range mutations(res.in.Body, places) {
				in := copied(res.in)
				in.Body = body
				r.survives(t, res.c.ch, in)
				if t.Failed() {
					t.Fatalf("with the body %.2000s", body)
				}
			}
		})
	}
	for n, a := range r.asked {
		t.Run(fmt.Sprintf("profile/%d", n), func(t *testing.T) {
			t.Parallel()
			r.profiles(t, a)
		})
	}
	kinds := map[string]bool{}
	for n, c := range r.calls {
		kind := c.req.Method + c.req.URL + c.req.Tag
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		t.Run(fmt.Sprintf("answer/%d", n), func(t *testing.T) {
			t.Parallel()
			r.answers(t, c)
		})
	}
}

// survives parses without a panic, and whatever comes of it is fit to be published.
func (r *runner) survives(t testing.TB, ch channel.Keyed, in channel.Inbound) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("panic: %v", p)
		}
	}()
	_ = r.adapter.Verify(ch, in)
	if app, ok := r.adapter.(channel.AppLevel); ok {
		app.Named(in)
	}
	p, err := r.adapter.Parse(ch, in)
	if err != nil {
		return
	}
	for _, e := range p.Events {
		if e.Ref == "" {
			t.Fatalf("%s without a Ref", e.Type)
		}
		if e.Peer == "" && needsPeer(e) {
			t.Fatalf("%s without a Peer", e.Type)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
	}
}

// answers settles what a broken provider might say. A 5xx or an unreadable answer to a send is unknown (P7), and what refuses is never sent.
func (r *runner) answers(t *testing.T, c call) {
	if strings.HasPrefix(c.req.URL, "http") && !r.emptyAnswers && !c.req.Safe {
		for _, body := range noes {
			o, err := r.adapter.Settle(c.ch, c.msg, c.req, channel.Response{Status: 200, Header: channel.Header{}, Body: []byte(body), Tag: c.req.Tag})
			if err == nil && len(o.Next) == 0 {
				t.Errorf("status 200 with %s is %+v, want an error: nothing says that it was sent", body, o)
			}
		}
	}
	bodies := append([][]byte{[]byte("<html>oops</html>")}, junk...)
	for _, status := range []int{200, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503} {
		for _, body := range bodies {
			o, err := r.adapter.Settle(c.ch, c.msg, c.req, channel.Response{Status: status, Header: channel.Header{}, Body: body, Tag: c.req.Tag})
			unknown := fault.Is(err, fault.Unknown)
			switch {
			case !strings.HasPrefix(c.req.URL, "http") || c.req.Safe:
			case status >= 500 && !unknown:
				t.Errorf("status %d with %.20q is %v, want unknown: it may have been sent", status, body, err)
			case status < 300 && !unknown && !r.emptyAnswers:
				t.Errorf("status %d with %.20q is %+v and %v, want an error of kind unknown", status, body, o, err)
			case status >= 300 && err == nil:
				t.Errorf("status %d with %.20q is %+v, want an error", status, body, o)
			}
		}
	}
}

// mutations yields bodies cut short, and with each of the places replaced by values of every type.
func mutations(body []byte, places [][2]int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for n := range 16 {
			if !yield(bytes.Clone(body[:len(body)*n/16])) {
				return
			}
		}
		for _, p := range places {
			for _, v := range values {
				if !yield(bytes.Join([][]byte{body[:p[0]], []byte(v), body[p[1]:]}, nil)) {
					return
				}
			}
		}
	}
}

// leaves returns where the values of a JSON body stand, objects and arrays among them, whose paths are not in seen yet.
func leaves(body []byte, seen map[string]bool) [][2]int {
	if !json.Valid(body) {
		return nil
	}
	s := scanner{body: body, seen: seen}
	s.value("")
	return s.found
}

// scanner walks valid JSON.
type scanner struct {
	body  []byte
	at    int
	seen  map[string]bool
	found [][2]int
}

func (s *scanner) skip() {
	for s.at < len(s.body) && strings.IndexByte(" \t\r\n,:", s.body[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) value(path string) {
	s.skip()
	start := s.at
	switch s.body[s.at] {
	case '{', '[':
		object := s.body[s.at] == '{'
		for s.at++; ; {
			if s.skip(); s.body[s.at] == '}' || s.body[s.at] == ']' {
				s.at++
				break
			}
			inner := path + "[]"
			if object {
				inner = path + "." + s.text()
			}
			s.value(inner)
		}
	case '"':
		s.text()
	default:
		for s.at < len(s.body) && strings.IndexByte(",]} \t\r\n", s.body[s.at]) < 0 {
			s.at++
		}
	}
	if !s.seen[path] {
		s.seen[path] = true
		s.found = append(s.found, [2]int{start, s.at})
	}
}

func (s *scanner) text() string {
	s.skip()
	start := s.at
	for s.at++; s.body[s.at] != '"'; s.at++ {
		if s.body[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
	return string(s.body[start:s.at])
}
