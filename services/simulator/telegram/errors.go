package telegram

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

func refusal(code int, description string) stage.Answer {
	return stage.Answer{Status: code, Code: code, Body: obj{"ok": false, "error_code": code, "description": description}}
}

func bad(description string) stage.Answer { return refusal(400, "Bad Request: "+description) }

func tooMany(seconds int) stage.Answer {
	a := refusal(429, fmt.Sprintf("Too Many Requests: retry after %d", seconds))
	a.RetryAfter = seconds
	a.Body.(obj)["parameters"] = obj{"retry_after": seconds}
	return a
}

func result(v any) stage.Answer { return stage.Answer{Status: 200, Body: obj{"ok": true, "result": v}} }

// usual are the descriptions of errors by code.
var usual = map[int]string{
	400: "Bad Request: chat not found", 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user", 404: "Not Found",
	413: "Request Entity Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
}

// words is how Telegram says no.
type words struct{}

// Failure implements stage.Words. With a status but no code the answer is a page, as a proxy gives it.
func (words) Failure(f *account.Failure) stage.Answer {
	switch {
	case f.Code == 0 && f.Status != 429 && (f.Status == 0 || f.Status >= 500):
		return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	case f.Code == 429 || f.Status == 429:
		return tooMany(max(f.RetryAfter, 1))
	}
	code := cmp.Or(f.Code, f.Status)
	a := refusal(code, cmp.Or(f.Message, usual[code], "Bad Request"))
	a.Status = cmp.Or(f.Status, code)
	if f.MigrateTo != 0 {
		a.Body.(obj)["parameters"] = obj{"migrate_to_chat_id": f.MigrateTo}
	}
	return a
}

// Throttled implements stage.Words.
func (words) Throttled(_ string, wait time.Duration) stage.Answer {
	return tooMany(max(1, int(math.Ceil(wait.Seconds()))))
}
