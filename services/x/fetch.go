package x

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// MediaRequest asks for a file.
func (Adapter) MediaRequest(_ channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	return channel.OneFetch(a, prev, tagFile, "X", problem{}.refusal)
}
