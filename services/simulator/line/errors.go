package line

import (
	"cmp"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

func refusal(status int, message string, details ...obj) stage.Answer {
	body := obj{"message": message}
	if len(details) > 0 {
		body["details"] = details
	}
	return stage.Answer{Status: status, Code: status, Body: body}
}

// invalid is a request whose body is not as documented.
func invalid(property, message string) stage.Answer {
	return refusal(400, "The request body has 1 error(s)", obj{"message": message, "property": property})
}

// usual are the messages of errors by status.
var usual = map[int]string{
	400: "The request body has 1 error(s)", 401: "Authentication failed. Confirm that the access token in the authorization header is valid.",
	403: "Access to this API is not available for your account", 404: "Not found", 409: "The retry key is already accepted",
	413: "Request body too large", 429: "The API rate limit has been exceeded. Try again later.", 500: "Internal server error",
}

// words is how LINE says no.
type words struct{}

// Failure implements stage.Words. With a status but no code an answer from 500 on is a page, as a proxy gives it.
func (words) Failure(f *account.Failure) stage.Answer {
	if status := cmp.Or(f.Status, 502); f.Code == 0 && status >= 500 {
		return stage.Answer{Status: status, RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	status := cmp.Or(f.Status, f.Code)
	return refusal(status, cmp.Or(f.Message, usual[status], usual[400]))
}

// Throttled implements stage.Words. LINE names no time to wait.
func (words) Throttled(string, time.Duration) stage.Answer { return refusal(429, usual[429]) }
