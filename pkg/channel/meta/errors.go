package meta

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// Problem is an error object, in webhooks and in answers.
type Problem struct {
	Code    channel.Opaque `json:"code"`
	Subcode channel.Opaque `json:"error_subcode"`
	Title   string         `json:"title"`
	Message string         `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
	UserMessage string `json:"error_user_msg"`
}

// Words is what the error says to people.
func (p Problem) Words() string {
	return cmp.Or(p.Data.Details, p.Message, p.Title, "error "+string(p.Code))
}

// Class is what an error means to us, and of a limit what it holds back.
type Class struct {
	Kind  fault.Kind
	Code  string
	Scope fault.Scope
}

// Range is a family of codes of which no single one matters.
type Range struct {
	From, To int
	Class    Class
}

// Classes are a product's own errors, by code or "code/subcode", before those that the Graph API has for all products.
type Classes struct {
	Codes  map[string]Class
	Ranges []Range
}

// general are the Graph API's errors of every product (https://developers.facebook.com/docs/graph-api/guides/error-handling). 4 and 17
// count the calls of an app and of a user, 32 those of a page.
var general = map[string]Class{
	"1": {Kind: fault.Unavailable, Code: channel.CodeUnavailable}, "2": {Kind: fault.Unavailable, Code: channel.CodeUnavailable},
	"4":   {fault.Throttled, channel.CodeRateLimited, fault.ScopeAccount},
	"17":  {fault.Throttled, channel.CodeRateLimited, fault.ScopeAccount},
	"32":  {fault.Throttled, channel.CodeRateLimited, fault.ScopeChannel},
	"613": {fault.Throttled, channel.CodeRateLimited, fault.ScopeAccount},
	"33":  {Kind: fault.Invalid, Code: "no_such_object"}, "803": {Kind: fault.Invalid, Code: "no_such_object"},
	"100": {Kind: fault.Invalid, Code: channel.CodeContentRejected},
	"0":   {Kind: fault.Denied, Code: channel.CodeCredentials}, "190": {Kind: fault.Denied, Code: channel.CodeCredentials},
	"3": {Kind: fault.Denied, Code: channel.CodePermission}, "10": {Kind: fault.Denied, Code: channel.CodePermission},
	"368": {Kind: fault.Denied, Code: channel.CodeAccountRestricted},
}

// permissions are the codes for rights that an app lacks.
var permissions = Range{200, 299, Class{Kind: fault.Denied, Code: channel.CodePermission}}

// Of says what an error means; a code that nobody knows is a refusal of the content.
func (c Classes) Of(p Problem) Class {
	code := string(p.Code)
	for _, key := range []string{code + "/" + string(p.Subcode), code} {
		if class, ok := c.Codes[key]; ok {
			return class
		}
	}
	if class, ok := general[code]; ok {
		return class
	}
	if n, err := strconv.Atoi(code); err == nil {
		for _, r := range append([]Range{permissions}, c.Ranges...) {
			if n >= r.From && n <= r.To {
				return r.Class
			}
		}
	}
	return Class{Kind: fault.Invalid, Code: channel.CodeContentRejected}
}

// Refusal decides by the error's code, not by the HTTP status, which varies for one code. Only a limit makes a 5xx repeatable: anything
// else may have been done. Without a code the status decides, see [Bare].
func (c Classes) Refusal(product string, p *Problem, resp channel.Response) *fault.Error {
	if p == nil || p.Code == "" {
		return Bare(product, resp, "")
	}
	class := c.Of(*p)
	if resp.Status >= 500 && class.Kind != fault.Throttled {
		class = Class{Kind: fault.Unknown, Code: channel.CodeUnclear}
	}
	e := fault.New(class.Kind, class.Code, "%s: %s", product, p.Words())
	e.Provider = string(p.Code)
	if class.Kind == fault.Throttled {
		e.After, e.Scope = Wait(resp.Header), class.Scope
	}
	return e
}

// Bare judges an answer without an error code, as what stands between gives them; words is what it says, if it says anything.
func Bare(product string, resp channel.Response, words string) *fault.Error {
	kind, code := fault.Invalid, channel.CodeContentRejected
	switch {
	case resp.Status == 429:
		kind, code = fault.Throttled, channel.CodeRateLimited
	case resp.Status == 401:
		kind, code = fault.Denied, channel.CodeCredentials
	case resp.Status == 403:
		kind, code = fault.Denied, channel.CodePermission
	case resp.Status >= 500 || resp.Status < 400:
		return Unclear(product, resp.Status)
	}
	e := fault.New(kind, code, "%s: %s", product, cmp.Or(words, "status "+strconv.Itoa(resp.Status)))
	e.Provider = strconv.Itoa(resp.Status)
	if kind == fault.Throttled {
		e.After = Wait(resp.Header)
	}
	return e
}

// Unclear is an answer that does not tell what became of a call.
func Unclear(product string, status int) *fault.Error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "%s answered with status %d and nothing that tells what became of the call", product, status)
	e.Provider = strconv.Itoa(status)
	return e
}

// Wait is how long Meta wants us to hold back, by its headers; zero if they do not say.
func Wait(h channel.Header) time.Duration {
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	var usage map[string][]struct {
		Minutes int `json:"estimated_time_to_regain_access"`
	}
	longest := 0
	if json.Unmarshal([]byte(h.Get("X-Business-Use-Case-Usage")), &usage) == nil {
		for _, us := range usage {
			for _, u := range us {
				longest = max(longest, u.Minutes)
			}
		}
	}
	return time.Duration(longest) * time.Minute
}

// Whole is [Classes.Refusal] with the subcode beside the code, as conversations of Pages and of Instagram need it.
func (c Classes) Whole(product string, p *Problem, resp channel.Response) *fault.Error {
	e := c.Refusal(product, p, resp)
	if p != nil && p.Subcode != "" && p.Subcode != "0" {
		e.Provider += "/" + string(p.Subcode)
	}
	return e
}
