package channel

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// RuleSet is what channels can do, as an adapter declares it.
type RuleSet struct {
	Send     SendRules              `json:"send"`
	Window   Window                 `json:"window"`
	Statuses []event.DeliveryStatus `json:"statuses"` // what the provider reports after accepting
	Starts   Starts                 `json:"starts"`   // may the business write first
	// Comments is what can be written below a post, where that is something else than a message; nil: it is the same. Calls for it count
	// for the limits of Send.
	Comments *SendRules `json:"comments,omitempty"`
}

// Variant is a set of rules for those channels of a type whose settings have these values; "*" stands for any value but none.
type Variant struct {
	When     map[string]string `json:"when"`
	MaxMedia int64             `json:"max_media,omitempty"` // bytes of a file that we fetch at most; zero: as Info.Inbound says
	RuleSet
}

// Rules is what one channel can do. The validator, the sender, the composer and GET /v1/channels/{id} read this value and no other.
type Rules struct {
	Title    string `json:"title"`               // for people: "WhatsApp"
	MaxMedia int64  `json:"max_media,omitempty"` // bytes of a file of a customer that is fetched at most; zero: the host's own limit
	RuleSet
}

// For returns the rules of a channel with these settings. It is pure: equal settings give equal rules.
func (i Info) For(s Settings) Rules {
	r := Rules{Title: i.Title, MaxMedia: i.Inbound.MaxMedia, RuleSet: i.RuleSet}
	if n := i.Variant(s); n >= 0 {
		v := i.Variants[n]
		r.MaxMedia, r.RuleSet = cmp.Or(v.MaxMedia, r.MaxMedia), v.RuleSet
	}
	r.Send.Rates = ratesOf(r.Send.Rates, s)
	return r
}

// Under returns the rules of a thread: below a post those of comments, if the channel has such. Nothing opens or closes what is written
// there, nothing is reported of it, and who has not commented cannot be written to.
func (r Rules) Under(post *event.Post) Rules {
	if post == nil || r.Comments == nil {
		return r
	}
	send := *r.Comments
	send.Concurrency, send.Rates, send.Timeout, send.Upload = r.Send.Concurrency, r.Send.Rates, r.Send.Timeout, r.Send.Upload
	r.RuleSet = RuleSet{Send: send}
	return r
}

// Variant returns the index of the variant whose rules a channel with these settings has, -1 if it has those of the type.
func (i Info) Variant(s Settings) int {
	return slices.IndexFunc(i.Variants, func(v Variant) bool { return i.applies(v.When, s) })
}

// CallTime returns how long a call may take. call and upload stand for what the rules do not say: of one call, and what files add to it.
func (r SendRules) CallTime(files bool, call, upload time.Duration) time.Duration {
	d := cmp.Or(time.Duration(r.Timeout), call)
	if files {
		d += cmp.Or(time.Duration(r.Upload), upload)
	}
	return d
}

// LongestCall returns the longest time that a call of any channel of the type may take.
func (i Info) LongestCall(call, upload time.Duration) time.Duration {
	longest := i.Send.CallTime(true, call, upload)
	for _, v := range i.Variants {
		longest = max(longest, v.Send.CallTime(true, call, upload))
	}
	return longest
}

// applies reports whether the settings have all the values of when; a setting that is not given has its default.
func (i Info) applies(when map[string]string, s Settings) bool {
	for key, want := range when {
		have := s.Text(key)
		for _, f := range i.Settings {
			if have == "" && f.Key == key {
				have = f.Default
			}
		}
		if have != want && (want != "*" || have == "") {
			return false
		}
	}
	return true
}

// ratesOf returns the rates with those that a setting raises or lowers as the channel has them.
func ratesOf(rates []Rate, s Settings) []Rate {
	out := slices.Clone(rates)
	for n, r := range out {
		if v, err := strconv.Atoi(s.Text(r.Setting)); r.Setting != "" && err == nil && v > 0 {
			out[n].N, out[n].Burst = v, max(1, r.Burst*v/r.N)
		}
	}
	return out
}

// Carries reports whether the channel takes a signal: typing_on, typing_off, read, ack.
func (r Rules) Carries(signal string) bool { return slices.Contains(r.Send.Signals, signal) }
