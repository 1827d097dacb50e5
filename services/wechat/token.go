package wechat

import (
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// TokenRequest asks for the account's stable token: unlike the older kind it is not replaced by the next one that somebody else fetches.
// https://developers.weixin.qq.com/doc/service/en/api/base/api_getstableaccesstoken.html
func (Adapter) TokenRequest(ch channel.Keyed, _ time.Time, _ string) (channel.Request, error) {
	return channel.PostJSON(api(ch.Channel)+"/cgi-bin/stable_token", struct {
		Grant  string `json:"grant_type"`
		App    string `json:"appid"`
		Secret string `json:"secret"`
		Force  bool   `json:"force_refresh"`
	}{"client_credential", ch.Settings.Text("app_id"), ch.Secrets.Current("app_secret"), false}, tagToken), nil
}

// ParseToken reads the token and its lifetime.
func (Adapter) ParseToken(resp channel.Response) (string, time.Duration, error) {
	var a struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"` // seconds
	}
	if err := refusal(resp); err != nil {
		return "", 0, err
	}
	if err := json.Unmarshal(resp.Body, &a); err != nil || a.Token == "" || a.Life <= 0 {
		return "", 0, fault.New(fault.Unavailable, channel.CodeUnavailable, "WeChat answered with something that has no token")
	}
	return a.Token, time.Duration(a.Life) * time.Second, nil
}
