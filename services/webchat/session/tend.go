package session

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// tend pings, ends typing that nobody renews, and ends the socket with what it stands on (the session, the channel) or the process.
func (l *link) tend(ctx, held context.Context) {
	ping, stale, idle := time.NewTicker(pingEvery), time.NewTimer(time.Hour), time.NewTimer(time.Hour)
	types := false
	defer func() {
		ping.Stop()
		for _, t := range []*time.Timer{stale, idle} {
			t.Stop()
		}
		if types {
			l.silent(context.WithoutCancel(ctx))
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.Stopping:
			l.end(closing{websocket.StatusServiceRestart, "come again"})
			return
		case <-held.Done():
			if ctx.Err() == nil {
				l.end(ending(context.Cause(held)))
			}
			return
		case <-ping.C:
			if err := l.ping(ctx); err != nil {
				l.end(closing{websocket.StatusGoingAway, "no pong"})
				return
			}
		case types = <-l.typing:
			stale.Reset(typingFor)
		case <-stale.C:
			if types {
				l.silent(ctx)
				types = false
			}
		case on := <-l.typed:
			idle.Reset(time.Hour)
			if on {
				idle.Reset(typingFor)
			}
		case <-idle.C:
			_ = l.write(ctx, object{"t": "typing", "on": false}) // the reader notices that it is gone
		}
	}
}

// silent says that the visitor types no more.
func (l *link) silent(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	_ = l.deliver(ctx, l.ch, l.v.says(encode(object{"t": "typing", "on": false}))) // leaves no trace, so it may get lost
}

func (l *link) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeFor)
	defer cancel()
	return l.conn.Ping(ctx)
}
