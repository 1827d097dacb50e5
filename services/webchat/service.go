package webchat

import (
	"github.com/tributaryhq/tributary/pkg/channel/gateway"
	"github.com/tributaryhq/tributary/services/webchat/chat"
)

// Service is the channel's service: the adapter in its host, and the sessions, sockets and mailboxes of browsers beside it.
var Service = gateway.Service(Adapter{}, gateway.With(chat.New))
