package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// shown is an inbox of one conversation that a checker looks at.
type shown struct {
	conversations []conversation
	messages      []message
	seqs          []int64
}

func (s *shown) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var data any = s.conversations
	switch {
	case strings.HasSuffix(r.URL.Path, "/timeline"):
		var items []any
		for _, n := range s.seqs {
			items = append(items, map[string]any{"event": map[string]any{"seq": n}})
		}
		data = items
	case strings.HasSuffix(r.URL.Path, "/messages"):
		data = s.messages
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func in(ref string) message { return message{Direction: "inbound", ExternalIDs: []string{ref}} }

func out(id, text, status string, steps ...string) message {
	m := message{ID: id, Direction: "outbound", Text: text, Status: status}
	for _, s := range steps {
		m.Statuses = append(m.Statuses, struct {
			Status string `json:"status"`
		}{s})
	}
	return m
}

// TestTheCheckerSeesWhatIsWrong shows a checker inboxes with one fault each.
func TestTheCheckerSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	read := out("m1", "a1", "read", "accepted", "read")
	for name, c := range map[string]struct {
		messages []message
		seqs     []int64
		twice    bool // at the provider
		want     func(f finding) bool
	}{
		"all is well":               {[]message{in("w1"), read, in("w2")}, []int64{1, 2, 3}, false, func(f finding) bool { return f.settled() && f.doubled+f.disorder+f.backwards == 0 }},
		"a message is lost":         {[]message{in("w1"), read}, nil, false, func(f finding) bool { return f.lost == 1 }},
		"a message is doubled":      {[]message{in("w1"), in("w1"), read, in("w2")}, nil, false, func(f finding) bool { return f.doubled == 1 }},
		"out of order":              {[]message{in("w2"), read, in("w1")}, nil, false, func(f finding) bool { return f.disorder == 1 }},
		"a gap":                     {[]message{in("w1"), read, in("w2")}, []int64{1, 2, 4}, false, func(f finding) bool { return f.disorder == 1 }},
		"an answer is lost":         {[]message{in("w1"), in("w2")}, nil, false, func(f finding) bool { return f.lost == 1 }},
		"an answer is doubled":      {[]message{in("w1"), read, out("m2", "a1", "read", "read"), in("w2")}, nil, false, func(f finding) bool { return f.doubled == 1 }},
		"the provider got it twice": {[]message{in("w1"), read, in("w2")}, nil, true, func(f finding) bool { return f.doubled == 1 }},
		"queued for ever":           {[]message{in("w1"), out("m1", "a1", "queued"), in("w2")}, nil, false, func(f finding) bool { return f.open == 1 }},
		"a status went back":        {[]message{in("w1"), out("m1", "a1", "sent", "accepted", "read", "sent"), in("w2")}, nil, false, func(f finding) bool { return f.open == 2 }},
		"a step is there twice":     {[]message{in("w1"), out("m1", "a1", "read", "read", "read"), in("w2")}, nil, false, func(f finding) bool { return f.backwards == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(&shown{[]conversation{{ID: "c1", Peer: "p1"}}, c.messages, c.seqs})
			defer s.Close()
			a := &account{taken: map[string]int{"a1": 1}}
			if c.twice {
				a.taken["a1"]++
			}
			l := newLoad(&test{T: t, platform: &platform{url: s.URL}}, a, 1, 2)
			l.webhooks["p1"], l.answers["p1"] = []string{"w1", "w2"}, []answer{{"m1", "a1"}}
			if f := l.look(); !c.want(f) {
				t.Errorf("found %+v", f)
			}
		})
	}
}
