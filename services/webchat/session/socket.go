package session

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

const (
	maxFrame   = 16 << 10 // bytes of a browser's frame
	helloFor   = 10 * time.Second
	pingEvery  = 25 * time.Second
	writeFor   = 10 * time.Second // a browser that takes longer for a frame is cut off: it comes again and reads on
	typingFor  = 10 * time.Second // typing that is not said again is over
	maxOffends = 20               // frames over the limits until the socket is closed
)

// How a socket ends (RFC 6455 §7.4.2 leaves 4000–4999 to applications). Everything else is to be tried again, with a pause.
const (
	closeUnauthorized websocket.StatusCode = 4401 // begin the session again
	closeNoHello      websocket.StatusCode = 4408
	closeTooMuch      websocket.StatusCode = 4429 // stay away for a minute
	closeGone         websocket.StatusCode = 4403 // the channel is gone or closed to this page: do not come again
)

// socket serves GET …/ws: the first frame is hello with the session's token, which so never stands in a URL.
func (s *server) socket(c *gin.Context) {
	if err := s.limit.connects.Take(httpapi.Source(c)); err != nil {
		httpapi.Fail(c, err)
		return
	}
	if err := httpapi.Upgrade(c, true); err != nil {
		httpapi.Fail(c, err)
		return
	}
	from := httpapi.Source(c)
	if !s.sockets.Take(from, 1) {
		httpapi.Fail(c, fault.Later("rate_limited", time.Minute, "at most %d connections at a time from one address", s.sockets.Each))
		return
	}
	defer s.sockets.Give(from, 1)
	s.links.Add(1)
	defer s.links.Done()
	conn, err := websocket.Accept(c.Writer, c.Request, &websocket.AcceptOptions{InsecureSkipVerify: true}) // its origin was checked
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow() //nolint:errcheck // nothing is left to be said
	conn.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	l := &link{server: s, conn: conn, c: c, ch: channelOf(c), from: from, cancel: cancel, typing: make(chan bool, 1), typed: make(chan bool, 1)}
	l.serve(ctx)
}

// link is one socket.
type link struct {
	*server
	conn    *websocket.Conn
	c       *gin.Context
	ch      channel.Keyed
	v       session
	from    string
	once    sync.Once
	cancel  context.CancelFunc
	typing  chan bool // the visitor types, or not any more
	typed   chan bool // the agent does
	offends int
}

// closing is an error that says how the socket ends.
type closing struct {
	code   websocket.StatusCode
	reason string
}

func (c closing) Error() string { return c.reason }

// end closes the socket, with the code of whoever is first. Reads and writes go on until the code is said: a context that ends
// would cut them off, and the code with them.
func (l *link) end(err error) {
	l.once.Do(func() {
		c, ok := errors.AsType[closing](err)
		if !ok {
			c = closing{websocket.StatusInternalError, "try again"}
		}
		_ = l.conn.Close(c.code, c.reason) // it may be gone already
		l.cancel()
	})
}

func (l *link) serve(ctx context.Context) {
	in, err := l.hello(ctx)
	if err != nil {
		l.end(err)
		return
	}
	held, release := l.standing(l.c, l.v)
	defer release()
	var work sync.WaitGroup
	work.Go(func() { l.end(l.hand(ctx, in.LastSeq)) })
	work.Go(func() { l.tend(ctx, held) })
	l.end(l.listen(ctx))
	work.Wait()
}

// hello reads the first frame.
func (l *link) hello(ctx context.Context) (in incoming, err error) {
	late := time.AfterFunc(helloFor, func() { l.end(closing{closeNoHello, "no hello"}) })
	defer late.Stop()
	_, raw, err := l.conn.Read(ctx)
	if err != nil {
		return in, closing{closeNoHello, "no hello"}
	}
	if in, err = read(raw); err != nil || in.T != "hello" {
		return in, closing{closeNoHello, "the first frame must be hello"}
	}
	if l.v, err = l.open(l.ch, in.Token); err != nil {
		_ = l.write(ctx, wrong(err, in)) // it is closed in any case
		return in, closing{closeUnauthorized, "unauthorized"}
	}
	l.v.via = random("")
	return in, nil
}

// hand writes what comes into the mailbox, from where the browser is.
func (l *link) hand(ctx context.Context, from int64) error {
	r, err := l.after(ctx, l.v.mailbox(), from)
	if err != nil {
		return err
	}
	last, err := l.last(ctx, l.v.mailbox())
	if err != nil {
		return err
	}
	hello := object{"t": "hello", "sessionId": l.v.ID, "visitorId": l.v.Subject, "lastSeq": last, "gap": r.gap, "ts": l.Now().UnixMilli()}
	if err := l.write(ctx, hello); err != nil {
		return err
	}
	if r.gap {
		from = r.last
	}
	seen := make(chan int64, 1)
	defer close(seen)
	l.links.Add(1)
	go l.confirming(context.WithoutCancel(ctx), seen)
	latest(seen, from)
	return l.follow(ctx, l.v.mailbox(), from, func(r reading) error {
		if r.gap {
			return l.write(ctx, object{"t": "gap", "gap": true, "lastSeq": r.last})
		}
		for _, letter := range r.letters {
			if letter.Via == l.v.via { // it has had the ack
				continue
			}
			if err := l.send(ctx, letter.frame()); err != nil {
				return err
			}
		}
		latest(seen, r.last)
		return nil
	}, func(frame []byte) error { return l.pass(ctx, frame) })
}

// confirming reports deliveries beside the stream, so that it does not wait for Kafka.
func (l *link) confirming(ctx context.Context, seen <-chan int64) {
	defer l.links.Done()
	for seq := range seen {
		l.confirm(ctx, l.ch, l.v, seq)
	}
}

// latest puts v into a channel that holds only the newest value.
func latest[T any](to chan T, v T) {
	for {
		select {
		case to <- v:
			return
		default:
		}
		select {
		case <-to:
		default:
		}
	}
}

// pass writes a frame that has no place: typing, read.
func (l *link) pass(ctx context.Context, frame []byte) error {
	if in, err := read(frame); err == nil && in.T == "typing" {
		latest(l.typed, in.On == nil || *in.On)
	}
	return l.send(ctx, frame)
}

// listen reads frames until the browser, or we, have had enough.
func (l *link) listen(ctx context.Context) error {
	for {
		kind, raw, err := l.conn.Read(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			return closing{websocket.StatusUnsupportedData, "frames are text"}
		}
		if err := l.heard(ctx, raw); err != nil {
			return err
		}
	}
}

// heard handles one frame; an error ends the socket.
func (l *link) heard(ctx context.Context, raw []byte) error {
	in, err := read(raw)
	if err == nil {
		switch in.T {
		case "ping":
			return l.write(ctx, object{"t": "pong", "ts": l.Now().UnixMilli()})
		case "hello": // said already
			return nil
		case "message", "postback", "form":
			err = l.limit.address.Take(l.from)
		}
	}
	var a *ack
	if err == nil {
		a, err = l.take(ctx, l.ch, l.v, in, raw)
	}
	switch {
	case fault.Is(err, fault.Throttled):
		if l.offends++; l.offends > maxOffends {
			return closing{closeTooMuch, "too much"}
		}
		return l.write(ctx, wrong(err, in))
	case err != nil:
		return l.write(ctx, wrong(err, in))
	case a != nil:
		return l.write(ctx, a)
	case in.T == "typing":
		latest(l.typing, in.On == nil || *in.On)
	}
	return nil
}

func (l *link) write(ctx context.Context, v any) error { return l.send(ctx, encode(v)) }

func (l *link) send(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, frame)
}

// wrong is an error as a frame.
func wrong(err error, in incoming) object {
	p := httpapi.Describe(err)
	o := object{"t": "error", "code": p.Code, "retryable": p.Retryable}
	if f := fault.Of(err); f.After > 0 {
		o["retryAfterMs"] = f.After.Milliseconds() + 1
	} else if p.Retryable {
		o["retryAfterMs"] = 2000
	}
	if in.ClientID != "" {
		o["clientId"] = in.ClientID
	}
	if p.Status < http.StatusInternalServerError && p.Detail != "" {
		o["detail"] = p.Detail
	}
	return o
}
