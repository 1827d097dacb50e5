package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

const maxCalls = 20 // of one message; the host bounds a chain too

// call is a request that was sent for a message.
type call struct {
	ch  channel.Channel
	msg event.Outbound
	req channel.Request
}

// outcome is what outcome.json shows.
type outcome struct {
	Error *shownError `json:"error,omitempty"` // refused before anything was sent
	Calls []settled   `json:"calls,omitempty"`
}

type settled struct {
	Part    int                  `json:"part"`
	Status  event.DeliveryStatus `json:"status,omitempty"`
	Refs    []string             `json:"refs,omitempty"`
	Peer    string               `json:"peer,omitempty"`
	Aliases []string             `json:"aliases,omitempty"`
	Next    int                  `json:"next,omitempty"` // how many requests follow in the same part
	Error   *shownError          `json:"error,omitempty"`
}

func (r *runner) outbound(t *testing.T, c *golden) {
	var msg event.Outbound
	dec := json.NewDecoder(bytes.NewReader(c.section(t, "message.json")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&msg); err != nil {
		t.Fatalf("%s: message.json: %v", c.path, err)
	}
	out, parts := r.render(t, c, msg)
	n := 0
	for part, req := range parts {
		steps := r.deliver(t, c, msg, part, req, &n)
		out.Calls = append(out.Calls, steps...)
		if len(steps) == 0 || steps[len(steps)-1].Error != nil {
			break
		}
	}
	r.noteOutbound(msg, out, len(parts))
	got := pretty(t, out)
	c.want(t, "outcome.json", got)
	c.keepsSecrets(t, got)
}

// render refuses a message as the worker would, or turns it into parts.
func (r *runner) render(t *testing.T, c *golden, msg event.Outbound) (outcome, []channel.Request) {
	t.Helper()
	if err := r.adapter.Info().For(c.ch.Settings).Admit(msg, c.at); err != nil {
		if code := fault.Of(err).Code; !httpapi.Known(code) {
			t.Errorf("the code %s is not in the catalogue of docs/reference/errors.md", code)
		}
		return outcome{Error: showError("check", err)}, nil
	}
	parts, err := r.adapter.Render(c.ch.Channel, msg)
	if err != nil {
		if k := fault.KindOf(err); k != fault.Invalid && k != fault.Window {
			t.Errorf("Render may refuse a message as invalid or window, not as %s", k)
		}
		return outcome{Error: showError("render", err)}, nil
	}
	if n := r.adapter.Info().For(c.ch.Settings).Under(msg.Post).Parts(msg.Content); msg.Signal == "" && msg.Action == nil && n != len(parts) {
		t.Errorf("the rules say that this is %d messages at the provider, Render makes %d", n, len(parts))
	}
	if again, _ := r.adapter.Render(c.ch.Channel, msg); !reflect.DeepEqual(parts, again) {
		t.Error("a second Render gave other requests")
	}
	return outcome{}, parts
}

// deliver makes the calls of one part until nothing follows or one fails.
func (r *runner) deliver(t *testing.T, c *golden, msg event.Outbound, part int, first channel.Request, n *int) (steps []settled) {
	t.Helper()
	for queue := []channel.Request{first}; len(queue) > 0; {
		if *n++; *n > maxCalls {
			t.Fatalf("more than %d calls for one message", maxCalls)
		}
		req := queue[0]
		queue = queue[1:]
		r.shows(t, c, *n, req)
		r.calls = append(r.calls, call{ch: c.ch.Channel, msg: msg, req: req})
		resp := c.response(t, *n, req.Tag)
		o, err := r.adapter.Settle(c.ch.Channel, msg, req, resp)
		if again, _ := r.adapter.Settle(c.ch.Channel, msg, req, resp); !reflect.DeepEqual(o, again) {
			t.Error("a second Settle gave another outcome")
		}
		s := settled{Part: part, Status: o.Status, Refs: o.Refs, Peer: o.Peer, Aliases: o.Aliases, Next: len(o.Next)}
		if err != nil {
			s.Error = showError("settle", err)
			return append(steps, s)
		}
		if len(o.Next) == 0 && o.Status != event.Accepted && o.Status != event.Sent {
			t.Errorf("a part ended with status %q: want accepted or sent", o.Status)
		}
		steps = append(steps, s)
		queue = append(slices.Clone(o.Next), queue...)
	}
	return steps
}

// shows compares request N, unsigned, and what signing adds to it.
func (r *runner) shows(t *testing.T, c *golden, n int, req channel.Request) {
	t.Helper()
	noted(t, c, req)
	unsigned := format(req)
	c.want(t, fmt.Sprintf("request.%d.http", n), unsigned)
	c.keepsSecrets(t, unsigned)
	c.want(t, fmt.Sprintf("signed.%d.http", n), r.signed(t, c, req))
}

// word is a Tag: what the adapter keeps beside stands in State.
var word = regexp.MustCompile(`^([a-z]+( [a-z]+)*)?$`)

// noted checks the adapter's own notes on a request.
func noted(t *testing.T, c *golden, req channel.Request) {
	t.Helper()
	if !word.MatchString(req.Tag) {
		t.Errorf("%s: the Tag %q is no fixed word: what an answer needs belongs into State", c.path, req.Tag)
	}
	if len(req.State) > channel.MaxState || len(req.State) > 0 && !json.Valid(req.State) {
		t.Errorf("%s: the State %.200s is no JSON, or has more than %d bytes", c.path, req.State, channel.MaxState)
	}
}

// signed writes what Sign adds: the first line, headers that are new or changed, and the body if it is another.
func (r *runner) signed(t *testing.T, c *golden, req channel.Request) []byte {
	t.Helper()
	before := format(req)
	got, err := r.adapter.Sign(c.ch, req, c.at, Nonce)
	if err != nil {
		t.Fatalf("%s: Sign: %v", c.path, err)
	}
	if !bytes.Equal(before, format(req)) {
		t.Error("Sign changed the request it was given")
	}
	if again, _ := r.adapter.Sign(c.ch, req, c.at, Nonce); !reflect.DeepEqual(got, again) {
		t.Error("a second Sign with the same time and nonce gave another request")
	}
	r.noPlaces(t, got)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", got.Method, got.URL)
	added := http.Header{}
	for k, v := range got.Header {
		if !reflect.DeepEqual(v, req.Header[k]) {
			added[k] = v
		}
	}
	writeHeaders(&b, added)
	if !bytes.Equal(got.Body, req.Body) || !reflect.DeepEqual(got.Form, req.Form) || !reflect.DeepEqual(got.File, req.File) {
		b.WriteString("\n")
		writeBody(&b, got)
	}
	return masked(c.ch, b.Bytes())
}

// noPlaces checks that signing filled every place.
func (r *runner) noPlaces(t *testing.T, req channel.Request) {
	t.Helper()
	for _, f := range r.adapter.Info().Settings {
		if place := "{" + f.Key + "}"; f.Secret && strings.Contains(req.URL, place) {
			t.Errorf("Sign left %s in the URL", place)
		}
	}
}

// media plays how an inbound file is fetched.
func (r *runner) media(t *testing.T, c *golden) {
	f, ok := r.adapter.(channel.MediaFetcher)
	if !ok {
		t.Fatal("the adapter is no MediaFetcher")
	}
	r.seen["media fetch"] = true
	var a event.Attachment
	if err := json.Unmarshal(c.section(t, "attachment.json"), &a); err != nil {
		t.Fatalf("%s: attachment.json: %v", c.path, err)
	}
	var out struct {
		Error *shownError `json:"error,omitempty"`
		Done  bool        `json:"done"`
		Calls int         `json:"calls"`
	}
	for prev := (*channel.Response)(nil); ; out.Calls++ {
		req, done, err := f.MediaRequest(c.ch.Channel, a, prev)
		if err != nil {
			out.Error = showError("media", err)
		}
		if out.Done = done; err != nil || done {
			break
		}
		if out.Calls >= maxCalls {
			t.Fatalf("more than %d calls for one file", maxCalls)
		}
		r.shows(t, c, out.Calls+1, req)
		resp := c.response(t, out.Calls+1, req.Tag)
		prev = &resp
	}
	c.want(t, "outcome.json", pretty(t, out))
}

// setup shows how the provider is told our URL.
func (r *runner) setup(t *testing.T, c *golden) {
	s, ok := r.adapter.(channel.Setup)
	if !ok {
		t.Fatal("the adapter has no Setup")
	}
	r.seen["setup"] = true
	url := c.url
	if url == "" {
		url = webhookURL(c.ch)
	}
	reqs, err := s.SetupRequests(c.ch, url)
	if err != nil {
		c.want(t, "outcome.json", pretty(t, outcome{Error: showError("setup", err)}))
	}
	for i, req := range reqs {
		r.shows(t, c, i+1, req)
		signed, _ := r.adapter.Sign(c.ch, req, c.at, Nonce)
		for key := range c.ch.Secrets {
			if strings.Contains(string(signed.Body), "{"+key+"}") {
				t.Errorf("Sign left {%s} in the body", key)
			}
		}
	}
}

// token shows how a short-lived token is got.
func (r *runner) token(t *testing.T, c *golden) {
	s, ok := r.adapter.(channel.TokenSource)
	if !ok {
		t.Fatal("the adapter is no TokenSource")
	}
	r.seen["token"] = true
	req, err := s.TokenRequest(c.ch, c.at, Nonce)
	if err != nil {
		t.Fatal(err)
	}
	c.want(t, "request.1.http", masked(c.ch, format(req)))
	var out struct {
		Error    *shownError `json:"error,omitempty"`
		Token    string      `json:"token,omitempty"`
		Lifetime string      `json:"lifetime,omitempty"`
	}
	tok, life, err := s.ParseToken(c.response(t, 1, req.Tag))
	if err != nil {
		out.Error = showError("token", err)
	} else {
		out.Token, out.Lifetime = tok, life.Round(time.Second).String()
	}
	c.want(t, "outcome.json", pretty(t, out))
}
