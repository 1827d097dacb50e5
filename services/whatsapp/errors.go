package whatsapp

import (
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// class is what one of Meta's error codes means to us.
type class struct {
	kind fault.Kind
	code string
}

// codes are Meta's documented error codes (reference "Error codes" of the Cloud API), grouped by what to do.
var codes = map[string]class{
	// Too fast: later.
	"4": {fault.Throttled, channel.CodeRateLimited}, "613": {fault.Throttled, channel.CodeRateLimited},
	"80007": {fault.Throttled, channel.CodeRateLimited}, "130429": {fault.Throttled, channel.CodeRateLimited},
	"133016": {fault.Throttled, channel.CodeRateLimited}, "131064": {fault.Throttled, channel.CodeRateLimited},
	"131048": {fault.Throttled, channel.CodeSpamLimited}, "131056": {fault.Throttled, channel.CodePeerRateLimited},
	// Not now: later.
	"1": {fault.Unavailable, channel.CodeUnavailable}, "2": {fault.Unavailable, channel.CodeUnavailable},
	"131000": {fault.Unavailable, channel.CodeUnavailable}, "131016": {fault.Unavailable, channel.CodeUnavailable},
	"131057": {fault.Unavailable, "account_in_maintenance"}, "133004": {fault.Unavailable, channel.CodeUnavailable},
	"131053": {fault.Unavailable, channel.CodeMediaRejected},
	// Only a template now.
	"131047": {fault.Window, channel.CodeWindowClosed},
	// Not to this person.
	"131026": {fault.Gone, channel.CodeRecipientUnknown}, "131021": {fault.Gone, "recipient_is_sender"},
	"131030": {fault.Gone, channel.CodeRecipientNotAllowed}, "131049": {fault.Gone, "held_back_by_ecosystem_limit"},
	"130472": {fault.Gone, "recipient_in_experiment"}, "131050": {fault.Gone, channel.CodeRecipientOptedOut},
	// Not like this.
	"33": {fault.Invalid, "no_such_object"}, "100": {fault.Invalid, channel.CodeContentRejected},
	"803": {fault.Invalid, "no_such_object"}, "131008": {fault.Invalid, "parameter_missing"},
	"131009": {fault.Invalid, "parameter_invalid"}, "131051": {fault.Invalid, "message_type_unsupported"},
	"131052": {fault.Invalid, "media_download_failed"}, "132000": {fault.Invalid, "template_parameter_count"},
	"132001": {fault.Invalid, "template_missing"}, "132005": {fault.Invalid, channel.CodeTextTooLong},
	"132007": {fault.Invalid, "template_policy"}, "132008": {fault.Invalid, "template_parameter_invalid"},
	"132012": {fault.Invalid, "template_parameter_format"}, "132015": {fault.Invalid, "template_paused"},
	"132016": {fault.Invalid, "template_disabled"}, "132018": {fault.Invalid, channel.CodeTemplateInvalid},
	"132068": {fault.Invalid, "flow_blocked"}, "132069": {fault.Invalid, "flow_throttled"},
	"131062": {fault.Invalid, "user_id_not_allowed"}, "131063": {fault.Invalid, "marketing_templates_disabled"},
	"135000": {fault.Invalid, channel.CodeContentRejected}, "137000": {fault.Invalid, "identity_mismatch"},
	"131020": {fault.Invalid, "group_unavailable"}, "131041": {fault.Invalid, "group_unavailable"}, "131059": {fault.Invalid, "group_unavailable"},
	// The account: an operator has to act.
	"368": {fault.Denied, channel.CodeAccountRestricted}, "130497": {fault.Denied, "country_restricted"},
	"131005": {fault.Denied, channel.CodePermission}, "131031": {fault.Denied, channel.CodeAccountRestricted},
	"131037": {fault.Denied, "display_name_needed"}, "131042": {fault.Denied, "payment_problem"},
	"131044": {fault.Denied, "payment_problem"}, "131045": {fault.Denied, "number_not_registered"},
	"0": {fault.Denied, channel.CodeCredentials}, "190": {fault.Denied, channel.CodeCredentials},
	"3": {fault.Denied, channel.CodePermission}, "10": {fault.Denied, channel.CodePermission},
}

// scopes say what a limit of ours holds back, by the reference's words for it: the app or the business account, the phone number,
// or the pair of phone number and recipient. A 429 without a code says nothing of it.
var scopes = map[string]fault.Scope{
	"4": fault.ScopeAccount, "613": fault.ScopeAccount, "80007": fault.ScopeAccount,
	"130429": fault.ScopeChannel, "131048": fault.ScopeChannel, "131064": fault.ScopeChannel, "133016": fault.ScopeChannel,
	"131056": fault.ScopePeer,
}

// ranges are the families of codes of which no single one matters here.
var ranges = []struct {
	from, to int
	class    class
}{
	{200, 299, class{fault.Denied, channel.CodePermission}},
	{131200, 131299, class{fault.Invalid, "group_unavailable"}},
	{138000, 138999, class{fault.Invalid, "call_refused"}},
	{139000, 139999, class{fault.Invalid, "flow_invalid"}},
}

// classify says what a code means; a code that we do not know is a refusal of the content.
func classify(code string) class {
	if c, ok := codes[code]; ok {
		return c
	}
	if n, err := strconv.Atoi(code); err == nil {
		for _, r := range ranges {
			if n >= r.from && n <= r.to {
				return r.class
			}
		}
	}
	return class{fault.Invalid, channel.CodeContentRejected}
}
