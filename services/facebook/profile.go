package facebook

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/meta"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ProfileRequest asks for the name and the picture of a person. Of who is known by a plugin's reference, or by a comment alone, Meta tells
// nothing.
func (Adapter) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	if who.Author != "" || who.Peer == "" || strings.Trim(who.Peer, "0123456789") != "" {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: meta.Node(ch, who.Peer) + "?fields=first_name,last_name,profile_pic", Tag: tagProfile, Safe: true}, true
}

// ParseProfile reads the answer. One without a name says that Meta tells nothing of the person: the app may not see them, or they have no
// profile.
func (Adapter) ParseProfile(_ channel.Channel, who channel.Who, resp channel.Response) (event.Profile, error) {
	var a struct {
		answer
		First   string `json:"first_name"`
		Last    string `json:"last_name"`
		Picture string `json:"profile_pic"`
	}
	err := json.Unmarshal(resp.Body, &a)
	if resp.Status != 200 || a.Error != nil {
		return event.Profile{}, a.refusal(resp)
	}
	if err != nil || a.ID != "" && string(a.ID) != who.Peer {
		return event.Profile{}, fault.New(fault.Unknown, channel.CodeUnclear, "Facebook answered with something that is no profile of them")
	}
	p := event.Profile{Name: strings.TrimSpace(a.First + " " + a.Last), AvatarRef: meta.Absolute(a.Picture)}
	if p == (event.Profile{}) {
		return p, fault.New(fault.Gone, channel.CodeRecipientUnknown, "Facebook tells nothing about them")
	}
	return p, nil
}
