package label

import "github.com/tributaryhq/tributary/pkg/channel"

// Other stands for every code that has no series of its own.
const Other = "other"

// codes are the common words of all channels, and those of the sender.
var codes = map[string]bool{
	"": true, channel.CodeRateLimited: true, channel.CodePeerRateLimited: true, channel.CodeSpamLimited: true,
	channel.CodeUnavailable: true, channel.CodeUnclear: true, channel.CodeWindowClosed: true, channel.CodeRecipientUnknown: true,
	channel.CodeRecipientBlocked: true, channel.CodeRecipientGone: true, channel.CodeRecipientOptedOut: true,
	channel.CodeRecipientNotAllowed: true, channel.CodeContentRejected: true, channel.CodeTextTooLong: true,
	channel.CodeMediaRejected: true, channel.CodeMediaTooLarge: true, channel.CodeMediaGone: true, channel.CodeTemplateInvalid: true,
	channel.CodeAccountRestricted: true, channel.CodeCredentials: true, channel.CodePermission: true, "breaker_open": true,
	"channel_disabled": true, "channel_gone": true, "earlier_part_failed": true, "no_answer": true, "render_failed": true,
	"send_expired": true,
}

// Code is the code of an error of a send, or Other. Adapters have codes of their own and may take a provider's, which are unbounded.
func Code(code string) string {
	if codes[code] {
		return code
	}
	return Other
}
