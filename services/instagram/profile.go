package instagram

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ProfileRequest asks for the names and the picture of a person, which Meta tells of people who have written a message.
func (Adapter) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	if who.Author != "" || who.Peer == "" || strings.Trim(who.Peer, "0123456789") != "" {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: node(ch, who.Peer) + "?fields=name,username,profile_pic,is_verified_user", Tag: tagProfile, Safe: true}, true
}

// ParseProfile reads the answer. The name can be missing. One without anything says that Meta tells nothing of the person.
func (Adapter) ParseProfile(_ channel.Channel, who channel.Who, resp channel.Response) (event.Profile, error) {
	var a struct {
		answer
		Name     string `json:"name"`
		Username string `json:"username"`
		Picture  string `json:"profile_pic"`
		Verified bool   `json:"is_verified_user"`
	}
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status != 200 || a.Error != nil {
		return event.Profile{}, a.refusal(resp)
	}
	if err != nil || a.ID != "" && string(a.ID) != who.Peer {
		return event.Profile{}, fault.New(fault.Unknown, channel.CodeUnclear, "Instagram answered with something that is no profile of them")
	}
	p := event.Profile{Name: strings.TrimSpace(a.Name), Username: a.Username, AvatarRef: meta.Absolute(a.Picture), Verified: a.Verified}
	if p == (event.Profile{}) {
		return p, fault.New(fault.Gone, channel.CodeRecipientUnknown, "Instagram tells nothing about them")
	}
	return p, nil
}
