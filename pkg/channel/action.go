package channel

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ActionRule says to which messages a channel does an action.
type ActionRule struct {
	Types       []event.MessageType `json:"types,omitempty"`       // messages of these kinds; empty: of every kind
	Interactive []string            `json:"interactive,omitempty"` // of interactive messages those of these kinds; empty: of every kind
	For         Duration            `json:"for,omitzero"`          // so long after the provider took the message, or the customer wrote it; zero: always
	// Repeatable: done twice it is as if it was done once, and the adapter reads the answer to the second call as success. So a call of
	// unknown outcome is made again.
	Repeatable bool `json:"repeatable"`
}

// verb says what an action does to a message, and what to do where a channel cannot.
type verb struct{ does, instead string }

// verbs are those of the kinds that the inbox sends; an action of a later version is refused by its name.
var verbs = map[event.ActionKind]verb{
	event.ActionEdit:         {"edit", "send a correction as a new message"},
	event.ActionUnsend:       {"take back", "send a message that sets it right"},
	event.ActionHide:         {"hide", "answer it, or moderate it at the provider"},
	event.ActionUnhide:       {"show again", "moderate it at the provider"},
	event.ActionPrivateReply: {"privately reply to", "answer in the conversation"},
}

func verbOf(kind event.ActionKind) verb {
	if v, ok := verbs[kind]; ok {
		return v
	}
	return verb{"do the action " + string(kind) + " to", "send a new message"}
}

// Admit refuses what the channel cannot deliver at the time now, by the rules of the thread that it is for: a message or signal as
// [Rules.Check] does with the window that it names, an action as [Rules.ActionProblems] does.
func (r Rules) Admit(msg event.Outbound, now time.Time) error {
	if msg.Action == nil {
		return r.Under(msg.Post).Check(msg, Told(msg, now))
	}
	if all := r.ActionProblems(msg, now); len(all) > 0 {
		return all[0]
	}
	return nil
}

// ActionProblems returns everything for which an action is refused at the time now, as [Rules.Problems] does for messages. The content of an
// edit passes the table of the thread, that of a private reply the table of messages, of which it can be one alone; the window does not
// hold actions.
func (r Rules) ActionProblems(msg event.Outbound, now time.Time) []*fault.Error {
	a, private := *msg.Action, r
	private.Send.Split = 0
	r = r.Under(msg.Post)
	rule, ok := r.Send.Actions[a.Kind]
	if !ok {
		return []*fault.Error{r.cannot(a.Kind, "action_not_supported", "%s cannot %s messages", r.Title, verbOf(a.Kind).does)}
	}
	if why := r.excludes(rule, msg, now); why != nil {
		return []*fault.Error{why}
	}
	switch a.Kind {
	case event.ActionPrivateReply:
		return private.Problems(msg, WindowState{})
	case event.ActionEdit:
		return r.editProblems(msg)
	}
	return nil
}

// excludes refuses a target that the action is not for, or not any more.
func (r Rules) excludes(rule ActionRule, msg event.Outbound, now time.Time) *fault.Error {
	does, a, t := verbOf(msg.Action.Kind).does, *msg.Action, msg.Action.Target
	if a.Kind == event.ActionEdit {
		t.Type = msg.Content.Type // as it is sent: a file may be a link
	}
	switch {
	case len(rule.Types) > 0 && !slices.Contains(rule.Types, t.Type):
		return r.cannot(a.Kind, "action_not_for_type", "%s cannot %s a message of type %s, only %s", r.Title, does, t.Type, join(rule.Types))
	case t.Interactive != "" && len(rule.Interactive) > 0 && !slices.Contains(rule.Interactive, t.Interactive):
		return r.cannot(a.Kind, "action_not_for_type", "%s cannot %s an interactive message of kind %s, only %s",
			r.Title, does, t.Interactive, strings.Join(rule.Interactive, ", "))
	case rule.For > 0 && !now.Before(t.At.Add(time.Duration(rule.For)).Time):
		return r.cannot(a.Kind, "action_too_late", "%s can %s a message for %s, this one is of %s", r.Title, does, span(rule.For), t.At)
	}
	return nil
}

// editProblems refuses a new content that the channel does not take, or that would be another number of messages at the provider.
func (r Rules) editProblems(msg event.Outbound) []*fault.Error {
	if v := msg.Content.Interactive; v != nil && !slices.Contains(r.Send.Actions[event.ActionEdit].Interactive, v.Kind) {
		return []*fault.Error{fault.At("/interactive/kind", "action_not_for_type", "%s cannot edit a message so that it becomes interactive of kind %s; %s",
			r.Title, v.Kind, verbs[event.ActionEdit].instead)}
	}
	if all := r.Problems(msg, WindowState{}); len(all) > 0 {
		return all
	}
	if was, is := msg.Action.Target.Of, r.Parts(msg.Content); was > 0 && was != is {
		return []*fault.Error{fault.At("/text", "edit_changes_parts", "the message was sent as %d messages on %s, the new text would be %d; %s",
			was, r.Title, is, verbs[event.ActionEdit].instead)}
	}
	return nil
}

// cannot is a refusal that says what the channel can do to messages, and what to do instead.
func (r Rules) cannot(kind event.ActionKind, code, format string, args ...any) *fault.Error {
	able := []string{}
	for k := range r.Send.Actions {
		able = append(able, string(k))
	}
	slices.Sort(able)
	err := fault.New(fault.Invalid, code, "%s; %s", fmt.Sprintf(format, args...), verbOf(kind).instead)
	err.Extra = map[string]any{"actions": able}
	return err
}

// Until returns when an action of a message that the provider took at a time is not taken any more; zero: always.
func (r ActionRule) Until(at event.Time) event.Time {
	if r.For == 0 {
		return event.Time{}
	}
	return at.Add(time.Duration(r.For))
}

// words describes the rule for people.
func (r ActionRule) words() string {
	out := "messages of every kind"
	if len(r.Types) > 0 {
		out = join(r.Types)
	}
	if len(r.Interactive) > 0 {
		out += " (" + strings.Join(r.Interactive, ", ") + ")"
	}
	if r.For > 0 {
		out += ", for " + span(r.For)
	}
	return out
}
