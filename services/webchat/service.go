package webchat

import (
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/webchat/session"
)

// Service is the channel's service: the adapter in its host, and the sessions, sockets and mailboxes of browsers beside it.
var Service = service()

func service() run.Service {
	s := gateway.Service(Adapter{}, gateway.With(session.New))
	s.Collections = append(s.Collections, session.Collections...)
	return s
}
