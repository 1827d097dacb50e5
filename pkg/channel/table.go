package channel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Table writes what a channel can do as a Markdown table: the part of its README that nobody writes by hand. Of a variant it has the
// rows that differ.
func Table(i Info) string {
	var b strings.Builder
	b.WriteString("| | |\n|---|---|\n")
	write := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", name, strings.ReplaceAll(value, "|", `\|`))
		}
	}
	write("Settings", fields(i.Settings, false))
	write("Secrets", fields(i.Settings, true))
	write("Receives", strings.Join(inboundWords(i.Inbound), ", "))
	write("Asks who people are", asked(i.Inbound.Profiles))
	usual := ruleRows(i.RuleSet, i.Inbound, i.Inbound.MaxMedia)
	for _, row := range usual {
		write(row.name, row.value)
	}
	if i.Comments != nil {
		for _, row := range sendRows(*i.Comments) {
			write("Below posts: "+strings.TrimPrefix(row.name, "· "), row.value)
		}
	}
	for _, v := range i.Variants {
		for _, row := range ruleRows(v.RuleSet, i.Inbound, cmp.Or(v.MaxMedia, i.Inbound.MaxMedia)) {
			if !slices.Contains(usual, row) {
				write(row.name+", if "+condition(v.When), cmp.Or(row.value, "–"))
			}
		}
	}
	return b.String()
}

// tableRow is a line of the table; without a value it is left out.
type tableRow struct{ name, value string }

// ruleRows are the rows that a variant may have others of.
func ruleRows(set RuleSet, in InboundRules, maxMedia int64) []tableRow {
	return append(sendRows(set.Send), tableRow{"Window", set.Window.words()}, tableRow{"May write first", set.Starts.words()}, tableRow{"Reports", statusWords(set.Statuses)},
		tableRow{"Rates", rates(set.Send)}, tableRow{"Media is kept", kept(in.MediaFor, maxMedia)})
}

// sendRows are the rows of what can be sent and done.
func sendRows(send SendRules) []tableRow {
	rows := []tableRow{
		{"Sends", join(send.Types)}, {"Also", strings.Join(sendWords(send), ", ")}, {"Text", send.Text.words() + pieces(send.Split)},
		{"Caption", send.Caption.words()}, {"Attachments", fmt.Sprintf("at most %d per message", send.Attachments)},
	}
	for _, t := range mediaTypes(send.Media) {
		rows = append(rows, tableRow{"· " + string(t), send.Media[t].words()})
	}
	for _, k := range sorted(send.Interactive) {
		rows = append(rows, tableRow{"Interactive: " + k, send.Interactive[k].words()})
	}
	for _, k := range sorted(send.Actions) {
		rows = append(rows, tableRow{"Can " + verbs[k].does, send.Actions[k].words()})
	}
	return rows
}

// condition says which settings a variant is for.
func condition(when map[string]string) string {
	var out []string
	for _, k := range sorted(when) {
		if when[k] == "*" {
			out = append(out, k+" is set")
		} else {
			out = append(out, k+" is "+when[k])
		}
	}
	return strings.Join(out, " and ")
}

func fields(fs []Field, secret bool) string {
	var out []string
	for _, f := range fs {
		if f.Secret != secret {
			continue
		}
		s := "`" + f.Key + "`"
		if len(f.OneOf) > 0 {
			s += " (" + strings.Join(f.OneOf, ", ") + ")"
		}
		for _, k := range sorted(f.When) {
			s += fmt.Sprintf(" if %s is %s", k, f.When[k])
		}
		if f.Optional {
			s += " optional"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func inboundWords(r InboundRules) []string {
	return words([]string{"replies", "reactions", "edits", "deletions", "typing", "retried webhooks", "one webhook for many accounts"},
		r.ReplyTo, r.Reactions, r.Edits, r.Deletes, r.Typing, r.Retries, r.AppLevel)
}

func sendWords(r SendRules) []string {
	out := words([]string{"replies", "reactions", "subject", "idempotency key"}, r.ReplyTo, r.Reactions, r.Subject, r.Idempotent)
	return append(out, r.Signals...)
}

func words(names []string, set ...bool) (out []string) {
	for i, ok := range set {
		if ok {
			out = append(out, names[i])
		}
	}
	return out
}

func (l Limit) words() string {
	if l.Max == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", l.Max, l.Unit)
}

func pieces(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", longer ones are split into at most %d messages", n)
}

func (r MediaRule) words() string {
	out := strings.Join(r.MIME, ", ")
	if r.MaxBytes > 0 {
		out += " up to " + size(r.MaxBytes)
	}
	if r.Caption {
		out += ", with caption"
	}
	return strings.TrimSpace(out)
}

func (r InteractiveRule) words() string {
	var out []string
	for _, l := range []struct {
		name string
		max  int
	}{{"choices", r.MaxItems}, {"choices of a section", r.MaxRows}, {"sections", r.MaxSections}, {"section title", r.MaxSectionTitle}, {"section text", r.MaxSectionText},
		{strings.TrimSpace("title " + r.TitleUnit.named()), r.MaxTitle}, {"id", r.MaxID}, {"description", r.MaxDescription}, {"body", r.MaxBody},
		{"header", r.MaxHeader}, {"footer", r.MaxFooter}, {"label", r.MaxLabel}} {
		if l.max > 0 {
			out = append(out, fmt.Sprintf("%s %d", l.name, l.max))
		}
	}
	return strings.Join(out, ", ")
}

// named is a unit that is said with a limit; runes go without saying.
func (u Unit) named() string {
	if u == "" || u == Runes {
		return ""
	}
	return "(" + u.words() + ")"
}

func (w Window) words() string {
	if len(w.Opens) == 0 {
		return "none"
	}
	var opens []string
	for kind, o := range w.Opens {
		opens = append(opens, o.words()+" after "+cmp.Or(openers[kind], kind))
	}
	slices.Sort(opens)
	out := strings.Join(opens, ", ")
	if len(w.Outside) > 0 {
		out += "; outside it " + strings.Join(w.Outside, ", ")
	}
	return out
}

// openers are words for what opens a window.
var openers = map[string]string{ByMessage: "a message of the customer", ByFreeEntry: "an ad or a page button", "call": "a call",
	"menu": "a tap on the menu or on a choice", "subscribe": "following", "scan": "scanning a QR code"}

func (o Opening) words() string {
	out := "always"
	if o.For > 0 {
		out = span(o.For)
	}
	if o.Count > 0 {
		out = fmt.Sprintf("%d messages in %s", o.Count, out)
	}
	return out
}

func (s Starts) words() string {
	switch {
	case !s.May:
		return "no"
	case s.With != "":
		return "with a " + s.With
	}
	return "yes"
}

func statusWords(ss []event.DeliveryStatus) string {
	if len(ss) == 0 {
		return "nothing after the send"
	}
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

func rates(r SendRules) string {
	out := []string{fmt.Sprintf("%d calls at once", r.Concurrency)}
	for _, l := range r.Rates {
		out = append(out, l.words())
	}
	return strings.Join(out, ", ")
}

func asked(r *Rate) string {
	if r == nil {
		return ""
	}
	return "name and picture, " + r.words()
}

func (r Rate) words() string {
	out := fmt.Sprintf("%d per %s and %s", r.N, span(r.Every), r.Per)
	if r.Burst > 0 {
		out += fmt.Sprintf(" (bursts of %d)", r.Burst)
	}
	return out
}

func kept(mediaFor Duration, maxMedia int64) string {
	var out []string
	if mediaFor > 0 {
		out = append(out, span(mediaFor)+" by the provider")
	}
	if maxMedia > 0 {
		out = append(out, "files up to "+size(maxMedia)+" are fetched")
	}
	return strings.Join(out, ", ")
}

func span(d Duration) string {
	t := time.Duration(d)
	const day = 24 * time.Hour
	switch {
	case t >= 2*day && t%day == 0:
		return fmt.Sprintf("%d days", t/day)
	case t >= time.Hour && t%time.Hour == 0:
		return fmt.Sprintf("%d h", t/time.Hour)
	case t >= time.Minute && t%time.Minute == 0:
		return fmt.Sprintf("%d min", t/time.Minute)
	}
	return t.String()
}

func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

func sorted[K ~string, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
