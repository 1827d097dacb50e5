package wechat

import (
	"cmp"
	"time"

	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/stage"
)

// usual are the words of errors by code.
var usual = map[int]string{
	-1: "system error", 10018: "callback url check failed", 40001: "invalid credential, access_token is invalid or not latest", 40002: "invalid grant_type",
	40003: "invalid openid", 40004: "invalid media type", 40005: "invalid file type", 40007: "invalid media_id", 40008: "invalid message type",
	40009: "invalid image size", 40033: "invalid charset", 40037: "invalid template_id", 40125: "invalid appsecret", 42001: "access_token expired",
	43004: "require subscribe", 44004: "empty content", 45002: "content size out of limit", 45008: "article size out of limit", 45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit, must slower, retry next minute", 45015: "response out of time limit or subscription is canceled",
	45047: "out of response count limit", 47001: "data format error", 47003: "argument invalid!",
}

// refusal is an error as WeChat gives it: always with status 200.
func refusal(code int, text string) stage.Answer {
	return stage.Answer{Status: 200, Code: code, Body: obj{"errcode": code, "errmsg": cmp.Or(text, usual[code], "error") + " rid: 66f0-simulated"}}
}

// words is how WeChat says no.
type words struct{}

// Failure implements stage.Words. With a status but no code the answer is a page, as a proxy gives it.
func (words) Failure(f *account.Failure) stage.Answer {
	if f.Code == 0 {
		return stage.Answer{Status: cmp.Or(f.Status, 502), RetryAfter: f.RetryAfter, Body: cmp.Or(f.Message, "<html><title>Bad Gateway</title></html>")}
	}
	return refusal(f.Code, f.Message)
}

// Throttled implements stage.Words. WeChat names no time to wait.
func (words) Throttled(string, time.Duration) stage.Answer { return refusal(45011, "") }
