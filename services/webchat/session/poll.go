package session

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/httpapi"
)

const maxWait = 30 * time.Second

// polls are the long polls under way, one per session: a newer one ends the older.
type polls struct {
	mu   sync.Mutex
	open map[string]*poll
}

type poll struct{ end context.CancelFunc }

func (p *polls) enter(id string, end context.CancelFunc) (leave func()) {
	mine := &poll{end}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.open[id]; old != nil {
		old.end()
	}
	p.open[id] = mine
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.open[id] == mine {
			delete(p.open, id)
		}
		end()
	}
}

var errEnough = errors.New("something came")

// poll answers GET …/poll?after=&wait= as soon as there is something behind that place, or when the time is over. after is
// what the browser has.
func (s *server) poll(c *gin.Context, v session) {
	after, err := number(c, "after", 0, 1<<53)
	wait, err2 := number(c, "wait", 25, int64(maxWait/time.Second))
	if err = errors.Join(err, err2, s.limit.frames.Take(v.Subject)); err != nil {
		httpapi.Fail(c, err)
		return
	}
	held, end := s.standing(c, v)
	defer end()
	ctx, cancel := s.untilStop(held)
	defer s.polls.enter(v.ID, cancel)()
	events := []json.RawMessage{}
	out := object{"nextSeq": after, "pollAfterMs": 0}
	take := func(r reading) error {
		for _, l := range r.letters {
			events = append(events, l.frame())
		}
		if r.gap {
			out["gap"] = true
		}
		out["nextSeq"], after = r.last, r.last
		return errEnough
	}
	r, err := s.after(ctx, v.mailbox(), after)
	switch {
	case err != nil:
	case r.last != after || r.gap:
		_ = take(r) // says only that it is enough
	case wait > 0:
		ctx, cancel = context.WithTimeout(ctx, time.Duration(wait)*time.Second)
		defer cancel()
		err = s.follow(ctx, v.mailbox(), after, take, func(frame []byte) error {
			events = append(events, frame)
			return errEnough
		})
	}
	if fault.Is(context.Cause(held), fault.Denied) || fault.Is(context.Cause(held), fault.Gone) {
		httpapi.Fail(c, context.Cause(held))
		return
	}
	// A poll whose time is over, or that a newer one ended, may have been reading just then: it came to nothing, it did not fail.
	if err != nil && !errors.Is(err, errEnough) && ctx.Err() == nil {
		httpapi.Fail(c, away(err))
		return
	}
	out["events"] = events
	s.hand(c, out)
	s.confirm(context.WithoutCancel(c.Request.Context()), channelOf(c), v, after)
}

// untilStop is a context that ends when the process begins to stop, too.
func (s *server) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-s.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// hand writes an answer so that the browser has it whole while we still work.
func (s *server) hand(c *gin.Context, v any) {
	b := encode(v)
	c.Header("Content-Length", strconv.Itoa(len(b)))
	c.Data(http.StatusOK, "application/json; charset=utf-8", b)
	c.Writer.Flush()
}

// post answers POST …/messages: a frame by HTTP.
func (s *server) post(c *gin.Context, v session) {
	raw, err := httpapi.Raw(c)
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	in, err := read(raw)
	if err == nil {
		err = s.limit.address.Take(httpapi.Source(c))
	}
	if err != nil {
		httpapi.Fail(c, err)
		return
	}
	a, err := s.take(c.Request.Context(), channelOf(c), v, in, raw)
	switch {
	case err != nil:
		httpapi.Fail(c, err)
	case a != nil:
		c.JSON(http.StatusAccepted, a)
	default:
		c.JSON(http.StatusAccepted, object{})
	}
}

// history answers GET …/messages?before=&limit=: what came before a place, the oldest first; without a place the newest.
func (s *server) history(c *gin.Context, v session) {
	before, err := number(c, "before", 1<<53, 1<<53)
	limit, err2 := number(c, "limit", 50, 100)
	if err = errors.Join(err, err2, s.limit.frames.Take(v.Subject)); err != nil {
		httpapi.Fail(c, err)
		return
	}
	ls, more, err := s.before(c.Request.Context(), v.mailbox(), before, int(max(limit, 1)))
	if err != nil {
		httpapi.Fail(c, away(err))
		return
	}
	events := []json.RawMessage{}
	for _, l := range ls {
		events = append(events, l.frame())
	}
	s.hand(c, object{"events": events, "more": more})
	if len(ls) > 0 {
		s.confirm(context.WithoutCancel(c.Request.Context()), channelOf(c), v, ls[len(ls)-1].Seq)
	}
}

func number(c *gin.Context, name string, otherwise, most int64) (int64, error) {
	text := c.Query(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, fault.At("/"+name, "out_of_range", "want a number from 0 to %d", most)
	}
	return n, nil
}
