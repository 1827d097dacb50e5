package wechat

import "github.com/tributaryhq/tributary/pkg/channel"

// SetupRequests ask WeChat to call the server that is configured, which proves credentials, allow-list and callback. The URL itself is
// entered in the account's console only.
// https://developers.weixin.qq.com/doc/service/en/api/base/api_callbackcheck.html
func (Adapter) SetupRequests(ch channel.Keyed, _ string) ([]channel.Request, error) {
	return []channel.Request{channel.PostJSON(api(ch.Channel)+"/cgi-bin/callback/check", struct {
		Action   string `json:"action"`
		Operator string `json:"check_operator"`
	}{"all", "DEFAULT"}, tagSetup)}, nil
}

// ParseSetup reads WeChat's errcode.
func (Adapter) ParseSetup(resp channel.Response) error { return refusal(resp) }
