package x

import (
	"cmp"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// usual are the details of errors by status.
var usual = map[int]string{
	400: "One or more parameters to your request was invalid.", 401: "Unauthorized", 402: "Your enrolled account does not have any credits to fulfill this request.",
	403: "You cannot send messages to this user.", 404: "Could not find what was asked for.", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
}

func refusal(status int, detail string) stage.Answer {
	return stage.Answer{Status: status, Code: status, Body: obj{"title": "Refused", "detail": cmp.Or(detail, usual[status], usual[400]), "status": status, "type": "about:blank"}}
}

// words is how X says no.
type words struct{}

// Failure implements stage.Words. With a status but no code an answer from 500 on is a page, as a proxy gives it.
func (words) Failure(f *account.Failure) stage.Answer {
	if status := cmp.Or(f.Status, 502); f.Code == 0 && status >= 500 {
		return stage.Answer{Status: status, RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	return refusal(cmp.Or(f.Status, f.Code), f.Message)
}

// Throttled implements stage.Words.
func (words) Throttled(string, time.Duration) stage.Answer { return refusal(429, "") }
