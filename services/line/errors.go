package line

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// answer is the body of a refusal.
type answer struct {
	Message string `json:"message"`
	Details []struct {
		Message  string `json:"message"`
		Property string `json:"property"`
	} `json:"details"`
}

func answerOf(resp channel.Response) answer {
	var a answer
	_ = json.Unmarshal(resp.Body, &a) // without words the status alone decides
	return a
}

func (a answer) says(words ...string) bool {
	text := strings.ToLower(a.Message)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// words is what LINE says, with the first detail.
func (a answer) words(status int) string {
	text := a.Message
	if text == "" {
		text = "status " + strconv.Itoa(status)
	}
	if len(a.Details) > 0 {
		text += " (" + strings.TrimSpace(a.Details[0].Property+" "+a.Details[0].Message) + ")"
	}
	return text
}

// class is what an error means to us.
type class struct {
	kind fault.Kind
	code string
}

// statuses say what a status means by itself.
var statuses = map[int]class{
	400: {fault.Invalid, channel.CodeContentRejected},
	401: {fault.Denied, channel.CodeCredentials},
	403: {fault.Denied, channel.CodePermission},
	404: {fault.Gone, channel.CodeRecipientUnknown},
	413: {fault.Invalid, channel.CodeMediaTooLarge},
	429: {fault.Throttled, channel.CodeRateLimited},
}

// refusal judges an answer that is no success. A 5xx, and a 409 that names no accepted call, say nothing about
// what became of the call.
func refusal(resp channel.Response) error {
	a := answerOf(resp)
	c, ok := statuses[resp.Status]
	switch {
	case resp.Status >= 500 || resp.Status < 400 || resp.Status == 409:
		c = class{fault.Unknown, channel.CodeUnclear}
	case !ok:
		c = class{fault.Invalid, channel.CodeContentRejected}
	case resp.Status == 429 && a.says("monthly limit"): // more messages than the plan has: waiting does not help before the next month
		c = class{fault.Denied, "quota_exhausted"}
	case resp.Status == 400 && a.says("the property, 'to'", "user not found", "failed to send messages"):
		c = class{fault.Gone, channel.CodeRecipientUnknown}
	}
	e := fault.New(c.kind, c.code, "LINE: %s", a.words(resp.Status))
	e.Provider = strconv.Itoa(resp.Status)
	if c.kind == fault.Throttled {
		e.Scope = fault.ScopeChannel // limits count the calls of a channel
	}
	return e
}
