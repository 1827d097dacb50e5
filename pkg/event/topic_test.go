package event_test

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

func TestTheChannelThatAKeyNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ topic, key, want string }{
		{event.TopicInbound, event.Key("ch_1", "+49 1|2"), "ch_1"}, {event.TopicReceipts, event.Key("ch_1", "p"), "ch_1"},
		{event.TopicOutbound(event.Line), event.Key("ch_1"), "ch_1"}, {event.TopicWebhooks, "ch_1", "ch_1"},
		{event.TopicConversations, "thr_1", ""}, {event.TopicRouting, "acme", ""}, {event.TopicInbound, "", ""},
	} {
		if got := event.ChannelOf(c.topic, c.key); got != c.want {
			t.Errorf("%s %s: %q", c.topic, c.key, got)
		}
	}
}
