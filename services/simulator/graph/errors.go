package graph

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// Problem is one of Meta's documented errors.
type Problem struct {
	Status, Code, Subcode int
	Message               string
}

// Problems are a product's errors, by the code or by the subcode that tells one from others. 613 is that of too many calls.
type Problems map[int]Problem

// usual are those that every product has.
var usual = Problems{
	1:       {Status: 400, Code: 1, Message: "An unknown error occurred"},
	2:       {Status: 503, Code: 2, Message: "Service temporarily unavailable"},
	4:       {Status: 429, Code: 4, Message: "Application request limit reached"},
	10:      {Status: 403, Code: 10, Message: "Application does not have permission for this action"},
	100:     {Status: 400, Code: 100, Message: "Invalid parameter"},
	190:     {Status: 401, Code: 190, Message: "Invalid OAuth access token."},
	200:     {Status: 403, Code: 200, Message: "Permissions error"},
	368:     {Status: 400, Code: 368, Message: "The action attempted has been deemed abusive or is otherwise disallowed"},
	551:     {Status: 400, Code: 551, Subcode: 1545041, Message: "This person isn't available right now."},
	1200:    {Status: 400, Code: 1200, Message: "Temporary send message failure. Please try again later."},
	10900:   {Status: 400, Code: 10900, Message: "Activity already replied to"},
	10903:   {Status: 400, Code: 10903, Message: "This user cant reply to this activity"},
	36000:   {Status: 200, Code: 36000, Message: "The image size is too large."},
	9000001: {Status: 400, Code: 9000001, Message: "The message was deleted."},
}

// Product returns the errors of a product: the usual ones and its own.
func Product(own Problems) Problems {
	all := maps.Clone(usual)
	maps.Copy(all, own)
	return all
}

// Refusal is an error answer; words empty: the usual ones.
func (ps Problems) Refusal(code int, words string) stage.Answer {
	p, ok := ps[code]
	if !ok {
		p = Problem{400, code, 0, "An error that the simulator has no words for."}
	}
	e := map[string]any{"message": fmt.Sprintf("(#%d) %s", p.Code, cmp.Or(words, p.Message)), "type": "OAuthException", "code": p.Code, "fbtrace_id": trace()}
	if p.Subcode != 0 {
		e["error_subcode"] = p.Subcode
	}
	return stage.Answer{Status: p.Status, Code: p.Code, Body: map[string]any{"error": e}}
}

// UnknownObject is the answer about an id that names nothing which the caller may use.
func UnknownObject(id string) stage.Answer {
	return stage.Answer{Status: 400, Code: 100, Body: map[string]any{"error": map[string]any{
		"message": fmt.Sprintf("Unsupported request. Object with ID '%.64s' does not exist, cannot be loaded due to missing permissions, or does not support this operation", id),
		"type":    "GraphMethodException", "code": 100, "error_subcode": 33, "fbtrace_id": trace(),
	}}}
}

func trace() string { return "A" + rand.Text()[:20] }

// Failure implements stage.Words: how Meta says no.
func (ps Problems) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 500), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Error</title></html>")}
	}
	a := ps.Refusal(f.Code, f.Message)
	a.Status, a.RetryAfter = cmp.Or(f.Status, a.Status), f.RetryAfter
	return a
}

// Throttled implements stage.Words. Meta has no limit for one person.
func (ps Problems) Throttled(string, time.Duration) stage.Answer { return ps.Refusal(613, "") }
