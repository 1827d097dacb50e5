package x

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

const fields = "?user.fields=name,username,profile_image_url,verified"

// ProfileRequest asks for a person, or for somebody of a group. Of a group itself X tells nothing.
func (Adapter) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	id := who.Author
	if id == "" {
		id = who.Peer
	}
	if id == "" || strings.Trim(id, "0123456789") != "" {
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: api(ch) + "/2/users/" + url.PathEscape(id) + fields, Tag: tagProfile, Safe: true}, true
}

// ParseProfile reads it. Of who is suspended or gone X answers 200 with an error.
func (Adapter) ParseProfile(_ channel.Channel, who channel.Who, resp channel.Response) (event.Profile, error) {
	var a struct {
		Data *struct {
			ID       channel.Opaque `json:"id"`
			Name     string         `json:"name"`
			Handle   string         `json:"username"`
			Picture  string         `json:"profile_image_url"`
			Verified bool           `json:"verified"`
		} `json:"data"`
		problem
	}
	err := json.Unmarshal(resp.Body, &a)
	of := who.Author
	if of == "" {
		of = who.Peer
	}
	switch {
	case resp.Status < 200 || resp.Status > 299:
		return event.Profile{}, a.refusal(resp)
	case err == nil && a.Data == nil && len(a.Errors) > 0:
		return event.Profile{}, fault.New(fault.Gone, channel.CodeRecipientGone, "X: %s", a.words(resp.Status))
	case err != nil || a.Data == nil || string(a.Data.ID) != of:
		return event.Profile{}, fault.New(fault.Unknown, channel.CodeUnclear, "X answered with something that is no profile of them")
	}
	return event.Profile{Name: a.Data.Name, Username: a.Data.Handle, AvatarRef: a.Data.Picture, Verified: a.Data.Verified, Author: who.Author}, nil
}
