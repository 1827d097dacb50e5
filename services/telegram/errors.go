package telegram

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

// texts tell errors of one code apart. They are looked for in lower case, in this order.
var texts = []struct {
	code int
	text string
	class
}{
	{403, "bot was blocked by the user", class{fault.Gone, channel.CodeRecipientBlocked}},
	{403, "user is deactivated", class{fault.Gone, channel.CodeRecipientGone}},
	{403, "bot was kicked", class{fault.Gone, channel.CodeRecipientBlocked}},
	{403, "bot is not a member", class{fault.Gone, channel.CodeRecipientBlocked}},
	{403, "initiate conversation", class{fault.Gone, channel.CodeRecipientNotAllowed}},
	{403, "send messages to bots", class{fault.Gone, channel.CodeRecipientNotAllowed}},
	{400, "chat not found", class{fault.Gone, channel.CodeRecipientUnknown}},
	{400, "user not found", class{fault.Gone, channel.CodeRecipientUnknown}},
	{400, "peer_id_invalid", class{fault.Gone, channel.CodeRecipientUnknown}},
	{400, "message thread not found", class{fault.Gone, channel.CodeRecipientUnknown}}, // the topic was deleted
	{400, "topic_closed", class{fault.Denied, channel.CodePermission}},
	{400, "upgraded to a supergroup", class{fault.Gone, "group_upgraded"}},
	{400, "query is too old", class{fault.Gone, "callback_expired"}},
	{400, "message is too long", class{fault.Invalid, channel.CodeTextTooLong}},
	{400, "caption is too long", class{fault.Invalid, channel.CodeTextTooLong}},
	{400, "file is too big", class{fault.Invalid, channel.CodeMediaTooLarge}},
	{400, "wrong file identifier", class{fault.Invalid, channel.CodeMediaRejected}},
	{400, "failed to get http url content", class{fault.Invalid, "media_unreachable"}},
	{400, "wrong type of the web page content", class{fault.Invalid, channel.CodeMediaRejected}},
	{400, "photo_invalid_dimensions", class{fault.Invalid, channel.CodeMediaRejected}},
	{400, "voice_messages_forbidden", class{fault.Invalid, "voice_not_wanted"}},
	{400, "reaction_invalid", class{fault.Invalid, "reaction_not_allowed"}},
	{400, "message to react not found", class{fault.Invalid, "target_missing"}},
	{400, "message to edit not found", class{fault.Gone, "target_missing"}},
	{400, "message_id_invalid", class{fault.Gone, "target_missing"}},
	{400, "message can't be edited", class{fault.Gone, "target_locked"}},
	{400, "message can't be deleted", class{fault.Gone, "target_locked"}},
	{400, "not enough rights", class{fault.Denied, channel.CodePermission}},
	{400, "administrator rights", class{fault.Denied, channel.CodePermission}},
	{400, "chat_write_forbidden", class{fault.Denied, channel.CodePermission}},
	{400, "business connection", class{fault.Denied, "business_disconnected"}},
	{400, "business_connection", class{fault.Denied, "business_disconnected"}},
}

// numbers say what a code means by itself. 404 is a wrong token too: the token is a part of the address.
var numbers = map[int]class{
	401: {fault.Denied, channel.CodeCredentials},
	403: {fault.Denied, channel.CodePermission},
	404: {fault.Denied, channel.CodeCredentials},
	413: {fault.Invalid, channel.CodeMediaTooLarge},
	429: {fault.Throttled, channel.CodeRateLimited},
}

func (a answer) class() class {
	for _, t := range texts {
		if t.code == a.Code && a.says(t.text) {
			return t.class
		}
	}
	if c, ok := numbers[a.Code]; ok {
		return c
	}
	return class{fault.Invalid, channel.CodeContentRejected}
}
