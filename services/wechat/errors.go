package wechat

import (
	"encoding/json"
	"strconv"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

// codes are WeChat's (https://developers.weixin.qq.com/doc/oplatform/en/Return_codes/Return_code_descriptions_new.html). Each of them says
// that nothing was sent.
var codes = map[string]class{
	"-1":    {fault.Throttled, channel.CodeUnavailable}, // busy: once more later
	"40001": {fault.Denied, channel.CodeCredentials}, "40014": {fault.Denied, channel.CodeCredentials}, "42001": {fault.Denied, channel.CodeCredentials},
	"40002": {fault.Denied, channel.CodeCredentials}, "40013": {fault.Denied, channel.CodeCredentials}, "40125": {fault.Denied, channel.CodeCredentials},
	"40164": {fault.Denied, channel.CodePermission}, // our address is not on the account's allow-list
	"48001": {fault.Denied, channel.CodePermission}, "48002": {fault.Denied, channel.CodePermission}, "48004": {fault.Denied, channel.CodeAccountRestricted},
	"50002": {fault.Denied, channel.CodeAccountRestricted},
	"40003": {fault.Gone, channel.CodeRecipientUnknown}, "43004": {fault.Gone, channel.CodeRecipientBlocked}, "50005": {fault.Gone, channel.CodeRecipientBlocked},
	"43019": {fault.Gone, channel.CodeRecipientBlocked}, "43101": {fault.Gone, channel.CodeRecipientOptedOut},
	"45015": {fault.Window, channel.CodeWindowClosed}, "45047": {fault.Window, channel.CodeWindowClosed},
	"45072": {fault.Invalid, channel.CodeContentRejected}, "45080": {fault.Window, channel.CodeWindowClosed}, "45081": {fault.Invalid, channel.CodeContentRejected},
	"45002": {fault.Invalid, channel.CodeTextTooLong},
	"40004": {fault.Invalid, channel.CodeMediaRejected}, "40005": {fault.Invalid, channel.CodeMediaRejected}, "40006": {fault.Invalid, channel.CodeMediaTooLarge},
	"40007": {fault.Gone, channel.CodeMediaGone}, "40009": {fault.Invalid, channel.CodeMediaTooLarge}, "45001": {fault.Invalid, channel.CodeMediaTooLarge},
	"45007": {fault.Invalid, channel.CodeMediaRejected},
	"40037": {fault.Invalid, channel.CodeTemplateInvalid}, "41028": {fault.Invalid, channel.CodeTemplateInvalid}, "47003": {fault.Invalid, channel.CodeTemplateInvalid},
	"45009": {fault.Denied, "quota_exhausted"}, // the day's calls are used up
	"45011": {fault.Throttled, channel.CodeRateLimited},
}

// refusal judges an answer: nil for one that says that it was done, or that says nothing of an error.
func refusal(resp channel.Response) error {
	var a struct {
		Code  json.Number `json:"errcode"`
		Words string      `json:"errmsg"`
	}
	err := json.Unmarshal(resp.Body, &a)
	switch {
	case resp.Status < 200 || resp.Status > 299 || err != nil:
		return unclear(resp.Status)
	case a.Code == "" || a.Code == "0":
		return nil
	}
	return classified(a.Code.String(), a.Words)
}

func classified(code, words string) *fault.Error {
	c, ok := codes[code]
	if !ok {
		c = class{fault.Invalid, channel.CodeContentRejected}
	}
	e := fault.New(c.kind, c.code, "WeChat: %s", words)
	e.Provider = code
	if c.kind == fault.Throttled {
		e.Scope = fault.ScopeChannel
	}
	return e
}

// unclear is an answer that tells nothing about what became of the call.
func unclear(status int) error {
	e := fault.New(fault.Unknown, channel.CodeUnclear, "WeChat answered with status %d and nothing that tells what became of the call", status)
	e.Provider = strconv.Itoa(status)
	return e
}
