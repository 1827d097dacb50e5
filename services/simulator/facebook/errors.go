package facebook

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// problem is one of Meta's documented errors, by its code or by the subcode that tells it from others.
type problem struct {
	status, code, subcode int
	message               string
}

var problems = map[int]problem{
	1:       {400, 1, 0, "An unknown error occurred"},
	2:       {503, 2, 0, "Service temporarily unavailable"},
	4:       {429, 4, 0, "Application request limit reached"},
	10:      {403, 10, 0, "Application does not have permission for this action"},
	32:      {429, 32, 0, "Page request limit reached"},
	100:     {400, 100, 0, "Invalid parameter"},
	190:     {401, 190, 0, "Invalid OAuth access token."},
	200:     {403, 200, 0, "Permissions error"},
	368:     {400, 368, 0, "The action attempted has been deemed abusive or is otherwise disallowed"},
	551:     {400, 551, 1545041, "This person isn't available right now."},
	613:     {400, 613, 2018338, "Calls to this API have exceeded the rate limit."},
	1200:    {400, 1200, 0, "Temporary send message failure. Please try again later."},
	10900:   {400, 10900, 0, "Activity already replied to"},
	10903:   {400, 10903, 0, "This user cant reply to this activity"},
	36000:   {200, 36000, 0, "The image size is too large."},
	1893063: {400, 10, 1893063, "The Page is restricted from sending messages."},
	2018001: {400, 100, 2018001, "No matching user found"},
	2018028: {403, 200, 2018028, "Cannot message users who are not admins, developers or testers of the app until the app is reviewed."},
	2018047: {400, 100, 2018047, "Upload attachment failure."},
	2018074: {400, 100, 2018074, "Invalid attachment id"},
	2018109: {400, 100, 2018109, "Attachment size exceeds allowable limit"},
	2018218: {400, 100, 2018218, "There is no profile available for this user."},
	2018278: {400, 10, 2018278, "This message is sent outside of allowed window."},
	2018300: {400, 100, 2018300, "Message failed to send because another app is controlling this thread now."},
	9000001: {400, 9000001, 0, "The message was deleted."},
}

// refusal is an error answer; words empty: the usual ones.
func refusal(code int, words string) stage.Answer {
	p, ok := problems[code]
	if !ok {
		p = problem{400, code, 0, "An error that the simulator has no words for."}
	}
	e := obj{"message": fmt.Sprintf("(#%d) %s", p.code, cmp.Or(words, p.message)), "type": "OAuthException", "code": p.code, "fbtrace_id": "A" + rand.Text()[:20]}
	if p.subcode != 0 {
		e["error_subcode"] = p.subcode
	}
	return stage.Answer{Status: p.status, Code: p.code, Body: obj{"error": e}}
}

func unknownObject(id string) stage.Answer {
	return stage.Answer{Status: 400, Code: 100, Body: obj{"error": obj{
		"message": fmt.Sprintf("Unsupported request. Object with ID '%.64s' does not exist, cannot be loaded due to missing permissions, or does not support this operation", id),
		"type":    "GraphMethodException", "code": 100, "error_subcode": 33, "fbtrace_id": "A" + rand.Text()[:20],
	}}}
}

// words is how Meta says no.
type words struct{}

// Failure implements stage.Words.
func (words) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 500), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Error</title></html>")}
	}
	a := refusal(f.Code, f.Message)
	a.Status, a.RetryAfter = cmp.Or(f.Status, a.Status), f.RetryAfter
	return a
}

// Throttled implements stage.Words. Meta has no limit for one person.
func (words) Throttled(string, time.Duration) stage.Answer { return refusal(613, "") }
