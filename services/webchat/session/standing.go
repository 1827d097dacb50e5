package session

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

var (
	errNoChannel error = fault.New(fault.Gone, "not_found", "there is no such channel")
	errOrigin    error = fault.New(fault.Denied, "forbidden", "this page may not use the chat: its origin is not among the channel's allowed_origins")
)

// standing lets a request of a session last for as long as the session does, the channel is there and enabled, and the page's
// origin is allowed. What ends it is the cause of the context's end.
func (s *server) standing(c *gin.Context, v session) (context.Context, context.CancelFunc) {
	ch, request, from := channelOf(c), c.Request, c.GetHeader("Origin")
	return s.Directory.Hold(request.Context(), func(ctx context.Context) (time.Time, error) {
		if !s.Now().Before(v.ExpiresAt.Time) {
			return time.Time{}, errSession
		}
		now, err := s.enabled(ctx, ch.ID)
		if err == nil && from != "" && !s.allowed(now, request, from) {
			err = errOrigin
		}
		return v.ExpiresAt.Time, err
	}, ch.ID)
}

// enabled finds a channel that is there, switched on, and a web chat.
func (s *server) enabled(ctx context.Context, id string) (channel.Keyed, error) {
	ch, err := s.Directory.Channel(ctx, id)
	switch {
	case fault.Is(err, fault.Gone), err == nil && (ch.Type != s.Adapter.Info().Type || !ch.Enabled):
		return ch, errNoChannel
	case err != nil:
		return ch, &fault.Error{Kind: fault.Unavailable, Code: "unavailable", Err: err}
	}
	return ch, nil
}

// ending is how a socket ends whose standing ended with that cause.
func ending(cause error) closing {
	switch {
	case errors.Is(cause, errSession):
		return closing{closeUnauthorized, "the session is over"}
	case fault.Is(cause, fault.Gone), fault.Is(cause, fault.Denied):
		return closing{closeGone, "the chat is not available here any more"}
	}
	return closing{websocket.StatusTryAgainLater, "try again"}
}
