package line

import (
	"encoding/json"
	"strings"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

// ProfileRequest asks for a user, a member of a group or multi-person chat, or a group. Of a multi-person chat itself LINE tells
// nothing: it has no name.
func (Adapter) ProfileRequest(ch channel.Channel, who channel.Who) (channel.Request, bool) {
	var path string
	switch peer := kind(who.Peer); {
	case who.Author == "" && peer == 'U':
		path = "/v2/bot/profile/" + who.Peer
	case who.Author == "" && peer == 'C':
		path = "/v2/bot/group/" + who.Peer + "/summary"
	case kind(who.Author) == 'U' && peer == 'C':
		path = "/v2/bot/group/" + who.Peer + "/member/" + who.Author
	case kind(who.Author) == 'U' && peer == 'R':
		path = "/v2/bot/room/" + who.Peer + "/member/" + who.Author
	default:
		return channel.Request{}, false
	}
	return channel.Request{Method: "GET", URL: apiHost(ch) + path, Tag: tagProfile, Safe: true}, true
}

// kind is the letter that an id begins with: U, C or R; 0 for what is no id.
func kind(id string) byte {
	if len(id) != 33 || !strings.Contains("UCR", id[:1]) || strings.Trim(id[1:], "0123456789abcdef") != "" {
		return 0
	}
	return id[0]
}

// ParseProfile reads the name and the picture. LINE answers 404 for users who are no friends, have blocked the account or have not
// consented, and 403 for accounts whose plan does not show members.
func (Adapter) ParseProfile(_ channel.Channel, who channel.Who, resp channel.Response) (event.Profile, error) {
	switch resp.Status {
	case 200:
	case 403, 404:
		return event.Profile{}, fault.New(fault.Gone, channel.CodeRecipientUnknown, "LINE tells nothing about them: %s", answerOf(resp).words(resp.Status))
	default:
		return event.Profile{}, refusal(resp)
	}
	var a struct {
		User     channel.Opaque `json:"userId"`
		Name     string         `json:"displayName"`
		Language string         `json:"language"`
		Group    channel.Opaque `json:"groupId"`
		Subject  string         `json:"groupName"`
		Picture  string         `json:"pictureUrl"`
	}
	err := json.Unmarshal(resp.Body, &a)
	if kind(who.Peer) == 'C' && who.Author == "" {
		if err == nil && string(a.Group) == who.Peer {
			return event.Profile{Name: a.Subject, AvatarRef: a.Picture, Group: true}, nil
		}
	} else if of := who.Author; err == nil && (string(a.User) == of || of == "" && string(a.User) == who.Peer) {
		return event.Profile{Name: a.Name, Locale: a.Language, AvatarRef: a.Picture, Author: of}, nil
	}
	return event.Profile{}, fault.New(fault.Unknown, channel.CodeUnclear, "LINE answered with something that is no profile of them")
}
