package whatsapp

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// problem is one of Meta's documented errors (reference "Error codes" of the Cloud API).
type problem struct {
	status         int
	title, details string
}

var problems = map[int]problem{
	0:      {401, "AuthException", "We were unable to authenticate the app user."},
	1:      {400, "API Unknown", "Invalid request or possible server error."},
	2:      {503, "API Service", "Temporary due to downtime or due to being overloaded."},
	4:      {429, "API Too Many Calls", "The app has reached its API call rate limit."},
	10:     {403, "Permission Denied", "Permission is either not granted or has been removed."},
	33:     {400, "Parameter value is not valid", "The business phone number has been deleted."},
	100:    {400, "Invalid parameter", "The request included one or more unsupported or misspelled parameters."},
	190:    {401, "Invalid OAuth access token - Cannot parse access token", "Access token has expired."},
	368:    {403, "Temporarily blocked for policies violations", "The account has been restricted for violating a platform policy."},
	80007:  {429, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."},
	130429: {429, "Rate limit hit", "Cloud API message throughput has been reached."},
	130472: {400, "User's number is part of an experiment", "Message was not sent as part of an experiment."},
	131000: {500, "Something went wrong", "Message failed to send due to an unknown error."},
	131005: {403, "Access denied", "Permission is either not granted or has been removed."},
	131008: {400, "Required parameter is missing", "The request is missing a required parameter."},
	131009: {400, "Parameter value is not valid", "One or more parameter values are invalid."},
	131016: {500, "Service unavailable", "A service is temporarily unavailable."},
	131021: {400, "Recipient cannot be sender", "Sender and recipient phone number is the same."},
	131026: {400, "Message undeliverable", "Message undeliverable."},
	131031: {403, "Account has been locked", "The account has been restricted or disabled."},
	131042: {400, "Business eligibility payment issue", "There was an error related to your payment method."},
	131047: {400, "Re-engagement message", "Message failed to send because more than 24 hours have passed since the customer last replied to this number."},
	131048: {429, "Spam rate limit hit", "Message failed to send because there are restrictions on how many messages can be sent from this phone number."},
	131049: {400, "Meta chose not to deliver", "This message was not delivered to maintain healthy ecosystem engagement."},
	131050: {400, "User has stopped marketing messages", "The recipient has chosen to stop receiving marketing messages."},
	131051: {400, "Unsupported message type", "Message type is currently not supported."},
	131053: {400, "Media upload error", "Unable to upload the media used in the message."},
	131056: {429, "(Business Account, Consumer Account) pair rate limit hit", "Too many messages sent from the sender phone number to the same recipient in a short period of time."},
	131057: {500, "Account in maintenance mode", "Business account is in maintenance mode."},
	132000: {400, "Template Param Count Mismatch", "The number of variable parameter values does not match."},
	132001: {404, "Template does not exist", "The template does not exist in the specified language."},
	132015: {400, "Template is Paused", "Template is paused due to low quality."},
}

func lookUp(code int) problem {
	if p, ok := problems[code]; ok {
		return p
	}
	return problem{400, "Unknown error", "An error that the simulator has no words for."}
}

// refusal is an error answer; details empty: the usual ones.
func refusal(code int, details string) stage.Answer {
	p := lookUp(code)
	return stage.Answer{Status: p.status, Code: code, Body: obj{"error": obj{
		"message": fmt.Sprintf("(#%d) %s", code, p.title), "type": "OAuthException", "code": code,
		"error_data": obj{"messaging_product": "whatsapp", "details": cmp.Or(details, p.details)}, "fbtrace_id": "A" + rand.Text()[:20],
	}}}
}

func unknownObject(id string) stage.Answer {
	return stage.Answer{Status: 400, Code: 100, Body: obj{"error": obj{
		"message": fmt.Sprintf("Unsupported post request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation", id),
		"type":    "GraphMethodException", "code": 100, "error_subcode": 33, "fbtrace_id": "A" + rand.Text()[:20],
	}}}
}

// failed is how an error stands in a status.
func failed(code int, details string) obj {
	p := lookUp(code)
	return obj{"code": code, "title": p.title, "message": p.title, "error_data": obj{"details": cmp.Or(details, p.details)},
		"href": "/documentation/business-messaging/whatsapp/support/error-codes"}
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

// Throttled implements stage.Words.
func (words) Throttled(scope string, _ time.Duration) stage.Answer {
	if scope == "peer" {
		return refusal(131056, "")
	}
	return refusal(130429, "")
}
