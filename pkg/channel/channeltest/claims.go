package channeltest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
)

// noteInbound remembers which capabilities a case used.
func (r *runner) noteInbound(res read) {
	for _, e := range res.p.Events {
		switch e.Type {
		case event.MessageEdited:
			r.seen["receives edits"] = true
		case event.MessageDeleted:
			r.seen["receives deletes"] = true
		case event.MessageReacted:
			r.seen["receives reactions"] = true
		case event.ContactTyping:
			r.seen["receives typing"] = true
		case event.ReceiptReceived, event.ReceiptWatermark:
			r.seen["reports "+string(e.Receipt.Status)] = true
		}
		r.seen["gives reply handles"] = r.seen["gives reply handles"] || e.ReplyHandle != nil
		if e.Type == event.MessageReceived && e.Content.ReplyTo != nil {
			r.seen["receives reply_to"] = true
		}
	}
}

// noteOutbound remembers which capabilities a message used that was sent.
func (r *runner) noteOutbound(msg event.Outbound, out outcome, parts int) {
	if out.Error != nil {
		r.seen["refuses "+out.Error.Code] = true
		return
	}
	if msg.Signal != "" {
		r.seen["signal "+msg.Signal] = true
		return
	}
	if msg.Action != nil {
		r.seen["action "+string(msg.Action.Kind)] = true
		return
	}
	r.seen["takes reply handles"] = r.seen["takes reply handles"] || msg.ReplyHandle != ""
	c := msg.Content
	if msg.Post != nil && r.adapter.Info().Comments != nil {
		r.seen["comments "+string(c.Type)] = true
		r.seen["comments reply_to"] = r.seen["comments reply_to"] || c.ReplyTo != nil
		return
	}
	r.seen["sends "+string(c.Type)] = true
	for _, a := range c.Attachments {
		r.seen["sends media "+string(a.Type)] = true
	}
	if c.Interactive != nil {
		r.seen["sends interactive "+c.Interactive.Kind] = true
	}
	r.seen["sends reply_to"] = r.seen["sends reply_to"] || c.ReplyTo != nil
	r.seen["sends reactions"] = r.seen["sends reactions"] || c.Reaction != nil
	r.seen["sends subject"] = r.seen["sends subject"] || c.Subject != ""
	r.seen["splits text"] = r.seen["splits text"] || parts > 1 && c.Type == event.Text && len(c.Attachments) == 0
	r.seen["sends several attachments"] = r.seen["sends several attachments"] || len(c.Attachments) > 1
}

// claims checks that every capability in Info has a case that uses it, and that no case uses what Info denies.
func (r *runner) claims(t *testing.T) {
	i := r.adapter.Info()
	some := func(ok func(channel.RuleSet) bool) bool { return slices.ContainsFunc(ruleSets(i), ok) }
	in := []claim{{"receives reply_to", i.Inbound.ReplyTo}, {"receives reactions", i.Inbound.Reactions},
		{"receives edits", i.Inbound.Edits}, {"receives deletes", i.Inbound.Deletes}, {"receives typing", i.Inbound.Typing}}
	out := []claim{
		{"sends reply_to", some(func(s channel.RuleSet) bool { return s.Send.ReplyTo })},
		{"sends reactions", some(func(s channel.RuleSet) bool { return s.Send.Reactions })},
		{"sends subject", some(func(s channel.RuleSet) bool { return s.Send.Subject })},
		{"splits text", some(func(s channel.RuleSet) bool { return s.Send.Split > 1 })},
		{"sends several attachments", some(func(s channel.RuleSet) bool { return s.Send.Attachments > 1 })},
		{"takes addresses", len(i.Addresses) > 0},
	}
	for _, status := range []event.DeliveryStatus{event.Sent, event.Delivered, event.Read, event.Failed} {
		in = append(in, claim{"reports " + string(status), some(func(s channel.RuleSet) bool { return slices.Contains(s.Statuses, status) })})
	}
	for _, c := range append(in, out...) {
		switch {
		case c.made && !r.seen[c.what]:
			t.Errorf("Info claims that the channel %s, but no case shows it", c.what)
		case !c.made && r.seen[c.what]:
			t.Errorf("a case shows that the channel %s, but Info does not say so", c.what)
		}
	}
	if given, taken := r.seen["gives reply handles"], r.seen["takes reply handles"]; given != taken {
		t.Errorf("cases show that the channel gives reply handles: %v, and that messages take them: %v; want both or none", given, taken)
	}
	for _, what := range r.listed(i) {
		if !r.seen[what] {
			t.Errorf("Info claims %q, but no case shows it", what)
		}
	}
}

type claim struct {
	what string
	made bool
}

// listed are the claims that Info makes as lists, and the optional interfaces.
func (r *runner) listed(i channel.Info) (out []string) {
	for _, set := range ruleSets(i) {
		out = append(out, listedRules(set.Send)...)
	}
	if i.Comments != nil {
		out = append(out, listedComments(*i.Comments)...)
	}
	if _, ok := r.adapter.(channel.MediaFetcher); ok {
		out = append(out, "media fetch")
	}
	if _, ok := r.adapter.(channel.Setup); ok {
		out = append(out, "setup")
	}
	if _, ok := r.adapter.(channel.TokenSource); ok {
		out = append(out, "token")
	}
	if _, ok := r.adapter.(channel.Expirer); ok {
		out = append(out, "expiry")
	}
	if i.Inbound.Profiles != nil {
		out = append(out, "profiles")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ruleSets are the rules of a type and of its variants: what any of them claims has a case.
func ruleSets(i channel.Info) []channel.RuleSet {
	out := []channel.RuleSet{i.RuleSet}
	for _, v := range i.Variants {
		out = append(out, v.RuleSet)
	}
	return out
}

// listedRules are the claims of the rules for messages.
func listedRules(send channel.SendRules) (out []string) {
	for _, s := range send.Types {
		out = append(out, "sends "+string(s))
	}
	for s := range send.Media {
		out = append(out, "sends media "+string(s))
	}
	for s := range send.Interactive {
		out = append(out, "sends interactive "+s)
	}
	for _, s := range send.Signals {
		out = append(out, "signal "+s)
	}
	for kind := range send.Actions {
		out = append(out, "action "+string(kind))
	}
	return append(out, refusals(send)...)
}

// listedComments are the claims about what is written below posts.
func listedComments(s channel.SendRules) (out []string) {
	for _, t := range s.Types {
		out = append(out, "comments "+string(t))
	}
	if s.ReplyTo {
		out = append(out, "comments reply_to")
	}
	for kind := range s.Actions {
		out = append(out, "action "+string(kind))
	}
	return append(out, refusals(s)...)
}

// refusals are those that follow from rules of every kind: each has a case.
func refusals(s channel.SendRules) (out []string) {
	refuse := func(claimed bool, codes ...string) {
		for _, code := range codes {
			if claimed {
				out = append(out, "refuses "+code)
			}
		}
	}
	refuse(s.Text.Max > 0, "text_too_long")
	refuse(len(s.Together) > 0, "not_together")
	refuse(s.Template != nil, "template_name", "template_language", "template_component", "template_parameter")
	for _, rule := range s.Actions {
		refuse(true, "action_not_supported")
		refuse(len(rule.Types) > 0, "action_not_for_type")
		refuse(rule.For > 0, "action_too_late")
	}
	for _, rule := range s.Interactive {
		refuse(len(rule.Needs) > 0, "part_missing", "part_not_taken")
		refuse(slices.Contains(rule.Choices, "reply"), "duplicate_id", "choice_not_supported")
		refuse(rule.MaxItems > 0, "too_many_choices")
	}
	return out
}

// info checks the description itself and the channels of testdata against it.
func (r *runner) info(t *testing.T) {
	i := r.adapter.Info()
	for what, ok := range map[string]bool{
		"Type": slices.Contains(event.ChannelTypes, i.Type), "Title": i.Title != "", "Docs": strings.HasPrefix(i.Docs, "https://"),
		"Inbound.MaxBody": i.Inbound.MaxBody > 0, "Inbound.Profiles": profiled(r.adapter, i), "Addresses": addressed(i.Addresses),
	} {
		if !ok {
			t.Errorf("Info.%s is missing or wrong", what)
		}
	}
	for _, p := range r.proofs {
		if p.Header != "" && p.Sign == nil && p.Header != "Authorization" && !slices.ContainsFunc(i.Inbound.Redact, func(h string) bool { return strings.EqualFold(h, p.Header) }) {
			t.Errorf("Info.Inbound.Redact must name %s: it carries a secret", p.Header)
		}
	}
	ruled(t, "Info", i, i.RuleSet)
	for n, v := range i.Variants {
		ruled(t, fmt.Sprintf("Info.Variants[%d]", n), i, v.RuleSet)
		if !r.chosen(i, n) {
			t.Errorf("Info.Variants[%d]: no channel of testdata has its settings %v", n, v.When)
		}
	}
	for _, f := range i.Settings {
		if !channel.KnownItem(f.Item) || f.Item != "" && f.Kind != "list" {
			t.Errorf("Info.Settings: the items of %s are of the kind %q, which is unknown, or no list", f.Key, f.Item)
		}
	}
	for name, ch := range r.channels {
		t.Run("channel/"+name, func(t *testing.T) { configured(t, i, ch) })
	}
}

// chosen reports whether a channel of testdata has the rules of a variant.
func (r *runner) chosen(i channel.Info, n int) bool {
	for _, ch := range r.channels {
		if i.Variant(ch.Settings) == n {
			return true
		}
	}
	return false
}

// profiled reports whether a type says how often it may be asked who people are, just if it can be.
func profiled(a channel.Adapter, i channel.Info) bool {
	_, ok := a.(channel.Profiler)
	return ok == (i.Inbound.Profiles != nil) && (!ok || i.Inbound.Profiles.Per == "channel" && i.Inbound.Profiles.N > 0 && i.Inbound.Profiles.Every > 0)
}

// ruled checks the rules that channels of the type have.
func ruled(t *testing.T, name string, i channel.Info, set channel.RuleSet) {
	for what, ok := range map[string]bool{
		"Send.Concurrency": set.Send.Concurrency > 0, "Send.Timeout": set.Send.Timeout > 0,
		"Window.Opens": opens(set.Window),
	} {
		if !ok {
			t.Errorf("%s.%s is missing or wrong", name, what)
		}
	}
	for _, rate := range set.Send.Rates {
		if rate.Per != "channel" && rate.Per != "peer" || rate.N < 1 || rate.Every <= 0 {
			t.Errorf("%s.Send.Rates: %+v", name, rate)
		}
		if rate.Setting != "" && !slices.ContainsFunc(i.Settings, func(f channel.Field) bool { return f.Key == rate.Setting }) {
			t.Errorf("%s.Send.Rates: %s is no setting", name, rate.Setting)
		}
	}
}

// configured checks that a channel has what its type requires, secrets among the secrets.
func configured(t *testing.T, i channel.Info, ch channel.Keyed) {
	hidden(t, ch)
	if ch.ID == "" || ch.Tenant == "" || ch.Type != i.Type {
		t.Errorf("a channel needs id, tenant and type %s", i.Type)
	}
	known := map[string]channel.Field{}
	for _, f := range i.Settings {
		known[f.Key] = f
		given := ch.Settings.Text(f.Key) != ""
		if f.Secret {
			given = ch.Secrets.Current(f.Key) != ""
			if ch.Settings.Text(f.Key) != "" {
				t.Errorf("the secret %s stands among the settings", f.Key)
			}
		}
		if !given && !f.Optional && f.Default == "" && applies(i, f, ch) {
			t.Errorf("the required %s is missing", f.Key)
		}
	}
	for key := range ch.Secrets {
		if !known[key].Secret {
			t.Errorf("%s is no secret of this type", key)
		}
	}
	for _, key := range i.Account {
		if _, ok := known[key]; !ok {
			t.Errorf("Info.Account names %s, which is no setting", key)
		}
	}
}

// applies reports whether the channel's other settings call for f.
func applies(i channel.Info, f channel.Field, ch channel.Keyed) bool {
	for k, v := range f.When {
		have := ch.Settings.Text(k)
		for _, other := range i.Settings {
			if have == "" && other.Key == k {
				have = other.Default
			}
		}
		if have != v {
			return false
		}
	}
	return true
}

// addressed reports whether a type says how people write whom to reach, in forms that package address reads.
func addressed(forms []channel.AddressForm) bool {
	kinds := []channel.AddressKind{channel.AddressPhone, channel.AddressEmail, channel.AddressUsername, channel.AddressID}
	return len(forms) > 0 && !slices.ContainsFunc(forms, func(f channel.AddressForm) bool {
		return !slices.Contains(kinds, f.Kind) || f.Example == "" || (f.Kind == channel.AddressID) != (f.Pattern != "")
	})
}

// opens reports whether a window that something opens is opened by messages, too, and says nothing impossible.
func opens(w channel.Window) bool {
	_, message := w.Opens[channel.ByMessage]
	for _, o := range w.Opens {
		if o.For < 0 || o.Count < 0 {
			return false
		}
	}
	return message || len(w.Opens) == 0
}
