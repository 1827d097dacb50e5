package whatsapp

import (
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// classes are Meta's documented error codes (reference "Error codes" of the Cloud API), grouped by what to do, beside those of the Graph
// API. A limit holds back what the reference says: the app or the business account, the phone number, or the pair of phone number and
// recipient.
var classes = meta.Classes{Codes: codes, Ranges: []meta.Range{
	{From: 131200, To: 131299, Class: meta.Class{Kind: fault.Invalid, Code: "group_unavailable"}},
	{From: 138000, To: 138999, Class: meta.Class{Kind: fault.Invalid, Code: "call_refused"}},
	{From: 139000, To: 139999, Class: meta.Class{Kind: fault.Invalid, Code: "flow_invalid"}},
}}

var codes = map[string]meta.Class{
	// Too fast: later.
	"80007":  {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeAccount},
	"130429": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	"131048": {Kind: fault.Throttled, Code: channel.CodeSpamLimited, Scope: fault.ScopeChannel},
	"131056": {Kind: fault.Throttled, Code: channel.CodePeerRateLimited, Scope: fault.ScopePeer},
	"131064": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	"133016": {Kind: fault.Throttled, Code: channel.CodeRateLimited, Scope: fault.ScopeChannel},
	// Not now: later.
	"131000": {Kind: fault.Unavailable, Code: channel.CodeUnavailable}, "131016": {Kind: fault.Unavailable, Code: channel.CodeUnavailable},
	"131057": {Kind: fault.Unavailable, Code: "account_in_maintenance"}, "133004": {Kind: fault.Unavailable, Code: channel.CodeUnavailable},
	"131053": {Kind: fault.Unavailable, Code: channel.CodeMediaRejected},
	// Only a template now.
	"131047": {Kind: fault.Window, Code: channel.CodeWindowClosed},
	// Not to this person.
	"131026": {Kind: fault.Gone, Code: channel.CodeRecipientUnknown}, "131021": {Kind: fault.Gone, Code: "recipient_is_sender"},
	"131030": {Kind: fault.Gone, Code: channel.CodeRecipientNotAllowed}, "131049": {Kind: fault.Gone, Code: "held_back_by_ecosystem_limit"},
	"130472": {Kind: fault.Gone, Code: "recipient_in_experiment"}, "131050": {Kind: fault.Gone, Code: channel.CodeRecipientOptedOut},
	// Not like this.
	"131008": {Kind: fault.Invalid, Code: "parameter_missing"},
	"131009": {Kind: fault.Invalid, Code: "parameter_invalid"}, "131051": {Kind: fault.Invalid, Code: "message_type_unsupported"},
	"131052": {Kind: fault.Invalid, Code: "media_download_failed"}, "132000": {Kind: fault.Invalid, Code: "template_parameter_count"},
	"132001": {Kind: fault.Invalid, Code: "template_missing"}, "132005": {Kind: fault.Invalid, Code: channel.CodeTextTooLong},
	"132007": {Kind: fault.Invalid, Code: "template_policy"}, "132008": {Kind: fault.Invalid, Code: "template_parameter_invalid"},
	"132012": {Kind: fault.Invalid, Code: "template_parameter_format"}, "132015": {Kind: fault.Invalid, Code: "template_paused"},
	"132016": {Kind: fault.Invalid, Code: "template_disabled"}, "132018": {Kind: fault.Invalid, Code: channel.CodeTemplateInvalid},
	"132068": {Kind: fault.Invalid, Code: "flow_blocked"}, "132069": {Kind: fault.Invalid, Code: "flow_throttled"},
	"131062": {Kind: fault.Invalid, Code: "user_id_not_allowed"}, "131063": {Kind: fault.Invalid, Code: "marketing_templates_disabled"},
	"135000": {Kind: fault.Invalid, Code: channel.CodeContentRejected}, "137000": {Kind: fault.Invalid, Code: "identity_mismatch"},
	"131020": {Kind: fault.Invalid, Code: "group_unavailable"}, "131041": {Kind: fault.Invalid, Code: "group_unavailable"}, "131059": {Kind: fault.Invalid, Code: "group_unavailable"},
	// The account: an operator has to act.
	"130497": {Kind: fault.Denied, Code: "country_restricted"},
	"131005": {Kind: fault.Denied, Code: channel.CodePermission}, "131031": {Kind: fault.Denied, Code: channel.CodeAccountRestricted},
	"131037": {Kind: fault.Denied, Code: "display_name_needed"}, "131042": {Kind: fault.Denied, Code: "payment_problem"},
	"131044": {Kind: fault.Denied, Code: "payment_problem"}, "131045": {Kind: fault.Denied, Code: "number_not_registered"},
}
