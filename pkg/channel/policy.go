package channel

import (
	"encoding/json"
	"slices"

	"github.com/tributaryhq/tributary/pkg/fault"
)

// Policy is how services treat a channel. It is the only declaration of these settings: service admin checks and stores it, the others
// read it with the channel. A field whose tag says effect:"none" is stored and acted on by no service; [Policy.NotInEffect] reports it,
// and a test of the services compares the tags with the code that reads the fields.
type Policy struct {
	CalendarID           string         `json:"calendar_id,omitempty" effect:"none"`
	QueueID              string         `json:"queue_id,omitempty"` // where conversations that open wait
	Routing              *RoutingPolicy `json:"routing,omitempty" effect:"none"`
	AutoReply            *AutoReplies   `json:"auto_reply,omitempty" effect:"none"`
	CustomerReplyMinutes int            `json:"customer_reply_timeout_minutes,omitempty" effect:"none"`
	AgentNoAnswerMinutes int            `json:"agent_no_answer_minutes,omitempty" effect:"none"`
	Reopen               string         `json:"reopen,omitempty"` // see ReopenNew
	ReopenWithinHours    int            `json:"reopen_within_hours,omitempty"`
	OnUnknown            string         `json:"on_unknown,omitempty"` // see HoldUnknown
}

// RoutingPolicy says how an agent is found.
type RoutingPolicy struct {
	Mode       string           `json:"mode,omitempty"` // see BySkillQueue
	LastAgent  *LastAgentPolicy `json:"last_agent,omitempty"`
	BotID      string           `json:"bot_id,omitempty"`
	AccessCode string           `json:"access_code,omitempty"` // of the bot
}

// LastAgentPolicy says when the agent who served a customer last is preferred.
type LastAgentPolicy struct {
	Enabled         bool   `json:"enabled"`
	ValidityHours   int    `json:"validity_hours,omitempty"`
	Forced          bool   `json:"forced,omitempty"`
	FallbackQueueID string `json:"fallback_queue_id,omitempty"`
}

// AutoReplies are texts that are sent without a person.
type AutoReplies struct {
	Working      *AutoReply `json:"working,omitempty"`
	NonWorking   *AutoReply `json:"non_working,omitempty"`
	Greeting     *AutoReply `json:"greeting,omitempty"`
	QueueFull    string     `json:"queue_full,omitempty"`
	QueueTimeout string     `json:"queue_timeout,omitempty"`
}

// AutoReply is a text that can be switched off.
type AutoReply struct {
	Enabled bool   `json:"enabled"`
	Text    string `json:"text,omitempty"`
}

// What [Policy.Reopen] may be: what a message does to a closed conversation. Empty is ReopenNew.
const (
	ReopenNew    = "new"                 // another conversation opens
	ReopenAlways = "reopen"              // the conversation opens again
	ReopenWithin = "reopen_within_hours" // it opens again if it was closed less than ReopenWithinHours ago
)

// What [Policy.OnUnknown] may be: what is done about a call to the provider whose outcome is unknown. Empty is HoldUnknown.
const (
	HoldUnknown  = "hold"  // it is reported as unknown and not made again
	RetryUnknown = "retry" // it is made again, and the message may arrive twice
)

// What [RoutingPolicy.Mode] may be. Empty is BySkillQueue.
const (
	BySkillQueue = "skill_queue"
	ByLastAgent  = "last_agent"
	ByChatbot    = "chatbot"
)

// The limits of a policy.
const (
	MaxReplyMinutes  = 24 * 60 // of customer_reply_timeout_minutes and agent_no_answer_minutes
	MaxReopenHours   = 30 * 24 // of reopen_within_hours
	MaxValidityHours = 30 * 24 // of routing.last_agent.validity_hours
)

// ReadPolicy decodes a stored policy. It was checked when it was stored; fields that this version does not know are left out, and one
// that has another type than it should counts as not set.
func ReadPolicy(stored json.RawMessage) (p Policy) {
	_ = json.Unmarshal(stored, &p) // decodes what it can
	return p
}

// Check returns what is wrong with the policy, each by the JSON pointer of its field. Whether what it names is there is not checked;
// see [Policy.References].
func (p Policy) Check() (bad []*fault.Error) {
	add := func(e *fault.Error) {
		if e != nil {
			bad = append(bad, e)
		}
	}
	add(within("/customer_reply_timeout_minutes", p.CustomerReplyMinutes, MaxReplyMinutes, "minutes"))
	add(within("/agent_no_answer_minutes", p.AgentNoAnswerMinutes, MaxReplyMinutes, "minutes"))
	add(oneOf("/reopen", p.Reopen, ReopenNew, ReopenAlways, ReopenWithin))
	add(within("/reopen_within_hours", p.ReopenWithinHours, MaxReopenHours, "hours"))
	if p.Reopen == ReopenWithin && p.ReopenWithinHours == 0 {
		add(fault.At("/reopen_within_hours", "out_of_range", "with reopen %s it takes 1 to %d hours", ReopenWithin, MaxReopenHours))
	}
	add(oneOf("/on_unknown", p.OnUnknown, HoldUnknown, RetryUnknown))
	return append(bad, p.Routing.check()...)
}

func (r *RoutingPolicy) check() (bad []*fault.Error) {
	if r == nil {
		return nil
	}
	if e := oneOf("/routing/mode", r.Mode, BySkillQueue, ByLastAgent, ByChatbot); e != nil {
		bad = append(bad, e)
	}
	if r.Mode == ByLastAgent && (r.LastAgent == nil || !r.LastAgent.Enabled) {
		bad = append(bad, fault.At("/routing/last_agent/enabled", "required", "routing mode last_agent needs the last agent mode switched on"))
	}
	if r.Mode == ByChatbot && r.BotID == "" && r.AccessCode == "" {
		bad = append(bad, fault.At("/routing/bot_id", "required", "routing mode chatbot needs a bot"))
	}
	if r.LastAgent != nil {
		if e := within("/routing/last_agent/validity_hours", r.LastAgent.ValidityHours, MaxValidityHours, "hours"); e != nil {
			bad = append(bad, e)
		}
	}
	return bad
}

// within checks a number that is zero if it is not set.
func within(pointer string, n, most int, unit string) *fault.Error {
	if n >= 0 && n <= most {
		return nil
	}
	return fault.At(pointer, "out_of_range", "%d %s: want 1 to %d", n, unit, most)
}

// oneOf checks a text that is empty if it is not set.
func oneOf(pointer, v string, want ...string) *fault.Error {
	if v == "" || slices.Contains(want, v) {
		return nil
	}
	return fault.At(pointer, "bad_value", "%q is none of %v", v, want)
}

// ReferenceKind is what a reference names.
type ReferenceKind string

// The kinds of references.
const (
	ToQueue    ReferenceKind = "queue"
	ToCalendar ReferenceKind = "calendar"
	ToBot      ReferenceKind = "bot"
	ToBotCode  ReferenceKind = "bot with the access code" // a bot by its access code
)

// Reference is a place of a policy that names something of the tenant.
type Reference struct {
	Pointer string
	Kind    ReferenceKind
	ID      string
}

// References returns what the policy names.
func (p Policy) References() []Reference {
	all := []Reference{{"/queue_id", ToQueue, p.QueueID}, {"/calendar_id", ToCalendar, p.CalendarID}}
	if r := p.Routing; r != nil {
		all = append(all, Reference{"/routing/bot_id", ToBot, r.BotID}, Reference{"/routing/access_code", ToBotCode, r.AccessCode})
		if l := r.LastAgent; l != nil {
			all = append(all, Reference{"/routing/last_agent/fallback_queue_id", ToQueue, l.FallbackQueueID})
		}
	}
	return slices.DeleteFunc(all, func(r Reference) bool { return r.ID == "" })
}
