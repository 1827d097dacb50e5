package channeltest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// read is what the adapter makes of one call.
type read struct {
	c     *golden
	in    channel.Inbound
	p     channel.Parsed
	stage string // verify or parse, where err came from
	err   error
}

func (r *runner) read(ch channel.Keyed, in channel.Inbound) read {
	if err := r.adapter.Verify(ch, in); err != nil {
		return read{in: in, stage: "verify", err: err}
	}
	p, err := r.adapter.Parse(ch, in)
	return read{in: in, p: p, stage: "parse", err: err}
}

// refused reports whether the sender is told no and nothing came of it.
func (r read) refused() bool {
	return r.err != nil && r.stage == "verify" || r.p.Reply.Status >= 400 && len(r.p.Events) == 0
}

func (r *runner) inbound(t *testing.T, c *golden) {
	in := c.request(t, r.proofs)
	before := copied(in)
	res := r.read(c.ch, in)
	res.c = c
	got := pretty(t, show(res))
	c.want(t, "want.json", got)
	c.keepsSecrets(t, got)
	if !reflect.DeepEqual(before.Body, in.Body) || !reflect.DeepEqual(before.Header, in.Header) {
		t.Error("the adapter changed its input")
	}
	if again := r.read(c.ch, in); !reflect.DeepEqual(again.p, res.p) || (again.err == nil) != (res.err == nil) {
		t.Error("a second call gave another answer")
	}
	if res.refused() {
		return
	}
	r.proved(t, c, in)
	if res.err != nil {
		return
	}
	wellFormed(t, res.p)
	r.addressed(t, res)
	r.noteInbound(res)
	r.accepted = append(r.accepted, res)
}

// addressed checks that an app-level callback would have found this channel.
func (r *runner) addressed(t *testing.T, res read) {
	t.Helper()
	app, ok := r.adapter.(channel.AppLevel)
	if ok != r.adapter.Info().Inbound.AppLevel {
		t.Error("Info.Inbound.AppLevel and the method Named do not agree")
	}
	if !ok || len(res.p.Events) == 0 || res.c.pulled {
		return
	}
	named := app.Named(res.in)
	if !slices.ContainsFunc(named, func(l channel.Lookup) bool { return l.Value != "" && res.c.ch.Settings.Text(l.Setting) == l.Value }) {
		t.Errorf("Named returned %q: none is of this channel, so its events would not be found", named)
	}
}

// wellFormed checks what the host and every consumer rely on.
func wellFormed(t testing.TB, p channel.Parsed) {
	t.Helper()
	refs := map[string]bool{}
	for _, e := range p.Events {
		switch {
		case e.Ref == "":
			t.Errorf("%s: no Ref", e.Type)
		case refs[e.Ref]:
			t.Errorf("%s: Ref %s twice in one call", e.Type, e.Ref)
		case e.ChannelID != "" || e.ChannelType != "" || !e.ReceivedAt.IsZero():
			t.Errorf("%s: the host sets channel and arrival", e.Type)
		case e.Peer == "" && needsPeer(e):
			t.Errorf("%s: no Peer", e.Type)
		case slices.Contains(e.Aliases, e.Peer) || slices.Contains(e.Aliases, ""):
			t.Errorf("%s: Aliases must be other ids of the peer: %q", e.Type, e.Aliases)
		case e.ReplyHandle != nil && (e.ReplyHandle.Token == "" || e.ReplyHandle.Uses < 1 || e.ReplyHandle.Until.IsZero()):
			t.Errorf("%s: a reply handle needs its token, uses and end: %+v", e.Type, *e.ReplyHandle)
		case e.ReplyHandle != nil && e.Type != event.MessageReceived:
			t.Errorf("%s: a reply handle comes with a message", e.Type)
		case !complete(e):
			t.Errorf("%s: the section that its type promises is missing", e.Type)
		}
		refs[e.Ref] = true
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
}

// needsPeer is false for what concerns the account, and for a receipt that only names a message.
func needsPeer(e event.Inbound) bool {
	return e.Type != event.AccountChanged && (e.Type != event.ReceiptReceived || e.ExternalID == "")
}

func complete(e event.Inbound) bool {
	switch e.Type {
	case event.MessageReceived, event.MessageEchoed:
		return e.Content != nil && e.Content.Type != "" && e.ExternalID != ""
	case event.MessageEdited:
		return e.Content != nil && e.Target != ""
	case event.MessageDeleted:
		return e.Target != ""
	case event.MessageReacted:
		return e.Target != "" && e.Reaction != nil
	case event.MessageHidden:
		return e.Target != "" && e.Hidden != nil && e.Post != nil
	case event.ContactTyping:
		return e.Typing != nil
	case event.ContactReferred:
		return e.Referral != nil
	case event.ContactMembership:
		return e.Membership != nil && e.Membership.State != ""
	case event.ContactIdentified:
		return e.Identity != nil
	case event.ContactConsented:
		return e.Consent != nil
	case event.ContactPageViewed:
		return e.Page != nil
	case event.AccountChanged:
		return e.Account != nil
	case event.ReceiptReceived:
		return e.Receipt != nil && e.Receipt.Status.Rank() > 0 && e.ExternalID != ""
	case event.ReceiptWatermark:
		return e.Receipt != nil && (!e.Receipt.UpTo.IsZero() || e.ExternalID != "")
	case event.ThreadControlMoved:
		return true
	}
	return false
}

// shown is how a result stands in want.json.
type shown struct {
	Error     *shownError    `json:"error,omitempty"`
	Reply     *shownReply    `json:"reply,omitempty"`
	Handshake bool           `json:"handshake,omitempty"`
	Events    []shownEvent   `json:"events,omitempty"`
	Ignored   map[string]int `json:"ignored,omitempty"`
}

type shownEvent struct {
	Type event.Type `json:"type"`
	event.Inbound
	ChannelID   string `json:"channel_id,omitempty"`   // hides the host's fields
	ChannelType string `json:"channel_type,omitempty"` // hides the host's fields

	Files []shownFile  `json:"files,omitempty"` // that came inside the call
	Piece *event.Piece `json:"piece,omitempty"`
}

// shownFile is a file that came inside the call: its bytes are in no JSON.
type shownFile struct {
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func showFiles(e event.Inbound) (out []shownFile) {
	if e.Content == nil {
		return nil
	}
	for _, a := range e.Content.Attachments {
		if a.Bytes != nil {
			out = append(out, shownFile{len(a.Bytes), fmt.Sprintf("%x", sha256.Sum256(a.Bytes))})
		}
	}
	return out
}

type shownReply struct {
	Status      int            `json:"status"`
	ContentType string         `json:"content_type,omitempty"`
	Header      channel.Header `json:"header,omitempty"`
	Body        string         `json:"body,omitempty"`
}

type shownError struct {
	In       string `json:"in"`
	Kind     string `json:"kind"`
	Code     string `json:"code,omitempty"`
	Pointer  string `json:"pointer,omitempty"`
	Provider string `json:"provider,omitempty"`
	After    string `json:"after,omitempty"`
	Message  string `json:"message"`
}

func show(res read) shown {
	if res.err != nil {
		return shown{Error: showError(res.stage, res.err)}
	}
	s := shown{Ignored: res.p.Ignored}
	for _, e := range res.p.Events {
		s.Events = append(s.Events, shownEvent{Type: e.Type, Inbound: e, Files: showFiles(e), Piece: e.Piece})
	}
	s.Handshake = res.p.Handshake
	if r := res.p.Reply; r.Status != 0 || len(r.Body) > 0 || len(r.Header) > 0 {
		s.Reply = &shownReply{Status: r.Status, ContentType: r.ContentType, Header: r.Header, Body: string(r.Body)}
	}
	return s
}

func showError(stage string, err error) *shownError {
	e := fault.Of(err)
	s := &shownError{In: stage, Kind: e.Kind.String(), Code: e.Code, Pointer: e.Pointer, Provider: e.Provider, Message: err.Error()}
	if e.After > 0 {
		s.After = e.After.Round(time.Millisecond).String()
	}
	return s
}
