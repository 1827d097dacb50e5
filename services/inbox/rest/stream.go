package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/inbox/api"
	"github.com/tributaryhq/tributary/services/inbox/feed"
	"github.com/tributaryhq/tributary/services/inbox/record"
)

const (
	heartbeat   = 15 * time.Second
	streamRetry = 5 * time.Second  // for whoever has too many streams
	writeLimit  = 10 * time.Second // whoever cannot take an event for so long is gone
	tooSlow     = websocket.StatusCode(4408)

	unauthorized = websocket.StatusCode(4401)
)

// out is one event on its way to a browser. Typing and presence have no id: they cannot be resumed.
type out struct {
	ID   string          `json:"id,omitempty"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// sink is a connection.
type sink interface {
	send(o out) error               // all of it, also while the process stops
	idle(ctx context.Context) error // keeps proxies from closing it
}

// StreamEvents implements api.ServerInterface.
func (s *Server) StreamEvents(c *gin.Context, params api.StreamEventsParams) {
	done, err := s.admitStream(httpapi.Caller(c))
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	defer done()
	token := orElse(params.LastEventID, orElse(params.After, ""))
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	w := &sse{w: c.Writer, rc: http.NewResponseController(c.Writer)}
	if err := w.write("retry: 3000\n\n"); err != nil {
		return
	}
	ctx, caller, end := httpapi.Standing(c, s.Directory, nil)
	defer end()
	defer httpapi.StopWriting(ctx, c.Writer)()
	_ = s.stream(ctx, caller, token, w) // the connection is over; the client comes again with its token
}

// admitStream counts one more stream of the caller; done takes it off again.
func (s *Server) admitStream(p *auth.Principal) (done func(), err error) {
	who := p.Tenant + "|" + p.ID
	if !s.Streams.Take(who, 1) {
		return nil, fault.Later("rate_limited", streamRetry, "at most %d event streams at a time; close one first", s.Streams.Each)
	}
	return func() { s.Streams.Give(who, 1) }, nil
}

type sse struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (s *sse) write(text string) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprint(s.w, text); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (s *sse) send(o out) error {
	id := ""
	if o.ID != "" {
		id = "id: " + o.ID + "\n"
	}
	return s.write(id + "event: " + o.Type + "\ndata: " + string(o.Data) + "\n\n")
}

func (s *sse) idle(context.Context) error { return s.write(": \n\n") }

// StreamEventsWebSocket implements api.ServerInterface.
func (s *Server) StreamEventsWebSocket(c *gin.Context, params api.StreamEventsWebSocketParams) {
	done, err := s.admitStream(httpapi.Caller(c))
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	defer done()
	if err := httpapi.Upgrade(c, false); err != nil {
		httpapi.Fail(c, err)
		return
	}
	conn, err := websocket.Accept(c.Writer, c.Request, &websocket.AcceptOptions{Subprotocols: []string{"tributary"}})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // it is over either way
	held, caller, end := httpapi.Standing(c, s.Directory, nil)
	defer end()
	open := conn.CloseRead(held)
	err = s.stream(open, caller, orElse(params.After, ""), ws{open, conn})
	if fault.Is(context.Cause(held), fault.Denied) {
		_ = conn.Close(unauthorized, "the credentials are not valid any more")
		return
	}
	if errors.Is(err, context.DeadlineExceeded) {
		_ = conn.Close(tooSlow, "too slow; come again with the last id")
		return
	}
	_ = conn.Close(websocket.StatusGoingAway, "come again with the last id")
}

// ws writes as long as open lasts: a write that is cut off breaks the connection, and the client is not told why.
type ws struct {
	open context.Context
	conn *websocket.Conn
}

func (w ws) send(o out) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(w.open, writeLimit)
	defer cancel()
	return w.conn.Write(ctx, websocket.MessageText, b)
}

func (w ws) idle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return w.conn.Ping(ctx)
}

// stream sends what the caller may see until the connection, its authority or the process ends. The caller is asked for anew for
// everything that is sent: a role or a unit may have changed since.
func (s *Server) stream(ctx context.Context, caller func() *auth.Principal, token string, to sink) error {
	p := caller()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	at, err := s.begin(ctx, p, token, to)
	if err != nil {
		return err
	}
	events, fleeting := make(chan []bus.Message), s.Cache.Watch(ctx, fleetingTopic(p.Tenant))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	failed := make(chan error, 1)
	follow := func(at feed.Position) { wg.Go(func() { failed <- s.pull(ctx, at, events) }) }
	follow(at)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			if !errors.Is(err, feed.ErrResync) {
				return err
			}
			// The log was cut off behind the client: it reads the state anew, and goes on from here.
			if at, err = s.Hub.Start(ctx, p.Tenant); err == nil {
				err = to.send(out{ID: at.String(), Type: "resync", Data: json.RawMessage(`{}`)})
			}
			if err != nil {
				return err
			}
			follow(at)
			continue
		case ms := <-events:
			err = s.forward(ctx, caller, ms, to)
		case b, ok := <-fleeting:
			if !ok {
				fleeting = nil // Redis is away: typing is not worth the connection
				continue
			}
			err = s.passOn(ctx, caller(), b, to)
		case <-beat.C:
			err = to.idle(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// begin finds where to start, and tells the client where that is.
func (s *Server) begin(ctx context.Context, p *auth.Principal, token string, to sink) (feed.Position, error) {
	if token == "" {
		at, err := s.Hub.Start(ctx, p.Tenant)
		if err != nil {
			return at, err
		}
		return at, to.send(out{ID: at.String(), Type: "ready", Data: json.RawMessage(`{}`)})
	}
	at, err := s.Hub.Resume(ctx, p.Tenant, token)
	if errors.Is(err, feed.ErrResync) {
		return at, to.send(out{ID: at.String(), Type: "resync", Data: json.RawMessage(`{}`)})
	}
	return at, err
}

func (s *Server) pull(ctx context.Context, at feed.Position, to chan<- []bus.Message) error {
	for {
		ms, err := s.Hub.Next(ctx, at)
		if err != nil {
			return err
		}
		at.Offset = ms[len(ms)-1].Offset
		select {
		case to <- ms:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) forward(ctx context.Context, caller func() *auth.Principal, ms []bus.Message, to sink) error {
	for _, m := range ms {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p := caller()
		if m.Event.Tenant != p.Tenant {
			continue
		}
		e, err := event.Decode[event.Stream](m.Event)
		if err != nil {
			continue // of a newer version
		}
		id := feed.Position{Partition: m.Partition, Offset: m.Offset}.String()
		sees, knew, err := s.sees(ctx, p, e)
		if err != nil {
			return err
		}
		switch {
		case sees:
			err = to.send(out{ID: id, Type: e.Type, Data: e.Data})
		case knew:
			err = to.send(out{ID: id, Type: "conversation.gone", Data: mustJSON(object{"conversation_id": e.ConversationID})})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sees decides with the conversation as it is now: what was visible once and is not any more is not shown late either. knew
// says of one that the caller does not see that this very event may have taken it out of sight.
func (s *Server) sees(ctx context.Context, p *auth.Principal, e event.Stream) (sees, knew bool, err error) {
	if p.May(auth.ReadAll) && p.OUID == "" {
		return true, false, nil
	}
	if e.ConversationID == "" {
		sees, err = s.inUnit(ctx, p, e.OUID)
		return sees && reads(p) == nil, false, err
	}
	c, err := s.conversation(ctx, p, e.ConversationID)
	if !fault.Is(err, fault.Gone) {
		return err == nil, false, err
	}
	if c == nil || c.Tenant != p.Tenant {
		return false, false, nil
	}
	switch event.Type(e.Type) {
	case event.ConversationReopen: // who took part saw it while it was closed
		knew = tookPart(p, c)
	case event.ConversationClosed: // what nobody has is seen by all agents until then
		knew = e.Assignee == "" && e.QueueID == ""
	case event.ConversationHolder:
		knew = (e.Was == "" && e.WasQueue == "") || (e.Was != "" && e.Was == p.AgentID) || slices.Contains(p.Queues, e.WasQueue)
	}
	return false, knew, nil
}

// fleeting is what passes through Redis and leaves no trace.
type fleeting struct {
	Type           string      `json:"type"` // typing
	ConversationID string      `json:"conversation_id"`
	Typing         bool        `json:"typing"`
	By             event.Actor `json:"by"`
	OUID           string      `json:"ou_id,omitempty"`
}

func fleetingTopic(tenant string) string { return "inbox:fleeting:" + tenant }

func (s *Server) passOn(ctx context.Context, p *auth.Principal, b []byte, to sink) error {
	var f fleeting
	if json.Unmarshal(b, &f) != nil || f.By.ID == p.ID {
		return nil //nolint:nilerr // of a newer version: nothing that could be shown
	}
	sees, _, err := s.sees(ctx, p, event.Stream{ConversationID: f.ConversationID, OUID: f.OUID})
	if err != nil || !sees {
		return err
	}
	return to.send(out{Type: f.Type, Data: b})
}

// Typing tells browsers that somebody is typing.
func (s *Server) Typing(ctx context.Context, c *record.Conversation, by event.Actor, on bool) {
	b := mustJSON(fleeting{Type: "typing", ConversationID: c.ID, Typing: on, By: by, OUID: c.OUID})
	if err := s.Cache.Notify(ctx, fleetingTopic(c.Tenant), b); err != nil {
		s.Log.DebugContext(ctx, "typing was not passed on", "error", err)
	}
}

// TypingInConversation implements api.ServerInterface: other agents see it, and the customer, where the channel carries it.
func (s *Server) TypingInConversation(c *gin.Context, id api.ID, _ api.TypingInConversationParams) {
	var in struct {
		Typing bool `json:"typing"`
	}
	p, ctx := httpapi.Caller(c), c.Request.Context()
	doc, err := s.conversation(ctx, p, id)
	if err == nil {
		err = decode(c, &in)
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	s.Typing(ctx, doc, p.Actor(), in.Typing)
	what := record.TypingOff
	if in.Typing {
		what = record.TypingOn
	}
	if err := s.signal(ctx, p, doc, what); err != nil {
		httpapi.Fail(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

// signal sends a signal to the channel of an open conversation, if the channel takes it.
func (s *Server) signal(ctx context.Context, p *auth.Principal, doc *record.Conversation, what string) error {
	if doc.Status == record.Closed {
		return nil
	}
	_, rules, err := s.channel(ctx, doc)
	if err != nil || !rules.Carries(what) {
		return err
	}
	return s.Bus.Publish(ctx, doc.Signal(what, p.Actor(), s.at()))
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own values always marshal
	}
	return b
}
