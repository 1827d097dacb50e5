package facebook

import (
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// product names the channel in messages to people.
const product = "Facebook"

// elsewhere is the code of what is refused because another app has the conversation.
const elsewhere = "conversation_elsewhere"

// classes are the errors of the Send API (https://developers.facebook.com/docs/messenger-platform/error-codes) and of comments by code and
// subcode, grouped by what to do, beside those of the Graph API. What Meta says of somebody who is not available does not tell whether
// they have blocked the Page.
var classes = meta.Classes{Codes: map[string]meta.Class{
	// Only a template, or a person's answer, now.
	"10/2018278": {Kind: fault.Window, Code: channel.CodeWindowClosed}, "10/2534022": {Kind: fault.Window, Code: channel.CodeWindowClosed},
	// Not to this person.
	"10/2018065":  {Kind: fault.Gone, Code: "recipient_unavailable"},
	"10/2018108":  {Kind: fault.Gone, Code: "recipient_unavailable"},
	"551":         {Kind: fault.Gone, Code: "recipient_unavailable"},
	"200/1545041": {Kind: fault.Gone, Code: "recipient_unavailable"},
	"100/2018001": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown},
	"100/2018218": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown}, "100/2018247": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown},
	"100/33": {Kind: fault.Gone, Code: "no_such_object"},
	// Another app has the conversation.
	"10/2018300": {Kind: fault.Denied, Code: elsewhere}, "10/2018321": {Kind: fault.Denied, Code: elsewhere},
	"100/2018300": {Kind: fault.Denied, Code: elsewhere}, "100/2018321": {Kind: fault.Denied, Code: elsewhere},
	// Not like this.
	"100/2018008": {Kind: fault.Invalid, Code: channel.CodeMediaRejected}, "100/2018047": {Kind: fault.Invalid, Code: channel.CodeMediaRejected},
	"100/2018074": {Kind: fault.Invalid, Code: channel.CodeMediaRejected}, "100/2018294": {Kind: fault.Invalid, Code: channel.CodeMediaRejected},
	"100/2018109": {Kind: fault.Invalid, Code: channel.CodeMediaTooLarge}, "36000": {Kind: fault.Invalid, Code: channel.CodeMediaTooLarge},
	"9000001": {Kind: fault.Gone, Code: "target_deleted"},
	"10900":   {Kind: fault.Invalid, Code: "private_reply_given"}, "10903": {Kind: fault.Invalid, Code: "private_reply_not_taken"},
	// Too fast: later.
	"613/2534040": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	"613/2018338": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	// Not now: later.
	"1200": {Kind: fault.Unavailable, Code: channel.CodeUnavailable},
	// The account: an operator has to act.
	"10/1893063":  {Kind: fault.Denied, Code: channel.CodeAccountRestricted},
	"200/2018028": {Kind: fault.Denied, Code: channel.CodePermission},
}}

// refusal judges a failed call. Some errors of conversations that another app has carry no subcode of their own.
func (a answer) refusal(resp channel.Response) *fault.Error {
	e := classes.Whole(product, a.Error, resp)
	if a.Error == nil {
		return e
	}
	if a.Error.Code == "10" && e.Kind == fault.Denied && strings.Contains(strings.ToLower(a.Error.Message), "another app is controlling this thread") {
		e.Code = elsewhere
	}
	return e
}
