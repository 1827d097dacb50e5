package instagram

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// product names the channel in messages to people.
const product = "Instagram"

// classes are the errors of messages (https://developers.facebook.com/docs/messenger-platform/instagram/error-codes) and of comments by code
// and subcode, grouped by what to do, beside those of the Graph API. Some are those of Messenger.
var classes = meta.Classes{Codes: map[string]meta.Class{
	// Only a person's answer, now.
	"10/2534022": {Kind: fault.Window, Code: channel.CodeWindowClosed}, "10/2018278": {Kind: fault.Window, Code: channel.CodeWindowClosed},
	// Not to this person.
	"100/2534014": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown}, "100/2018001": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown},
	"551":         {Kind: fault.Gone, Code: "recipient_unavailable"},
	"200/1545041": {Kind: fault.Gone, Code: "recipient_unavailable"},
	"230":         {Kind: fault.Gone, Code: "consent_needed"},
	"100/33":      {Kind: fault.Gone, Code: "no_such_object"},
	// Another app has the conversation.
	"100/2534037": {Kind: fault.Denied, Code: "conversation_elsewhere"},
	// Not like this.
	"100/2534015": {Kind: fault.Invalid, Code: channel.CodeMediaRejected}, "100/2534025": {Kind: fault.Invalid, Code: channel.CodeMediaRejected},
	"100/2534029": {Kind: fault.Invalid, Code: channel.CodeMediaRejected}, "36103": {Kind: fault.Invalid, Code: channel.CodeMediaRejected},
	"100/2018047": {Kind: fault.Invalid, Code: channel.CodeMediaRejected}, "100/2018008": {Kind: fault.Invalid, Code: channel.CodeMediaRejected},
	"100/2018109": {Kind: fault.Invalid, Code: channel.CodeMediaTooLarge}, "36000": {Kind: fault.Invalid, Code: channel.CodeMediaTooLarge},
	"9000001": {Kind: fault.Gone, Code: "target_deleted"},
	"10900":   {Kind: fault.Invalid, Code: "private_reply_given"}, "10903": {Kind: fault.Invalid, Code: "private_reply_not_taken"},
	// Too fast: later.
	"613/2534040": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	// Not now: later.
	"1200": {Kind: fault.Unavailable, Code: channel.CodeUnavailable},
	// The account: its holder has to act.
	"200/2534041": {Kind: fault.Denied, Code: "message_access_off"},
}}

// refusal judges a failed call.
func (a answer) refusal(resp channel.Response) *fault.Error {
	return classes.Whole(product, a.Error, resp)
}
