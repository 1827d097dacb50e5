package wechat

import (
	"encoding/json"
	"net/url"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ProfileRequest asks for a follower.
func (Adapter) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	if who.Author != "" || who.Peer == "" {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: api(ch) + "/cgi-bin/user/info?lang=zh_CN&openid=" + url.QueryEscape(who.Peer), Tag: tagProfile, Safe: true}, true
}

// ParseProfile reads what WeChat still tells: since December 2021 names and pictures are empty, so that the account's own remark stands in.
func (Adapter) ParseProfile(_ channel.Channel, who channel.Who, resp channel.Response) (event.Profile, error) {
	if err := refusal(resp); err != nil {
		return event.Profile{}, err
	}
	var a struct {
		Follows  json.Number    `json:"subscribe"`
		ID       channel.Opaque `json:"openid"`
		Name     string         `json:"nickname"`
		Remark   string         `json:"remark"`
		Language string         `json:"language"`
		Picture  string         `json:"headimgurl"`
	}
	err := json.Unmarshal(resp.Body, &a)
	switch {
	case err != nil || string(a.ID) != who.Peer:
		return event.Profile{}, fault.New(fault.Unknown, channel.CodeUnclear, "WeChat answered with something that is no profile of them")
	case a.Follows == "0":
		return event.Profile{}, fault.New(fault.Gone, channel.CodeRecipientBlocked, "WeChat tells nothing about who does not follow the account")
	}
	name := a.Remark
	if name == "" {
		name = a.Name
	}
	return event.Profile{Name: name, Locale: a.Language, AvatarRef: a.Picture}, nil
}
