package e2e

import (
	"strings"
	"testing"
)

const (
	lineBot     = "U9d74932bdb6f21dc7ab21d6fc5260f47"
	lineFriend  = "U04f8996da763b7a969b1028ee3007569"
	lineFailing = "U15f8996da763b7a969b1028ee3007569"
	lineRefused = "U26f8996da763b7a969b1028ee3007569"
	lineGroup   = "C22222222222222222222222222222222"
)

// lineContact is a contact as the API shows it.
type lineContact struct {
	Name       string `json:"name"`
	Avatar     string `json:"avatar_url"`
	Identities []struct {
		Peer    string `json:"peer"`
		Display string `json:"display"`
		Group   bool   `json:"group"`
	} `json:"identities"`
}

// contactOf lists the contacts and returns the one with this id on a channel; nil if there is none.
func (t *test) contactOf(peer string) *lineContact {
	var list page[lineContact]
	if t.call(t.Context(), "GET", "/v1/contacts?limit=200", "", nil, &list) != nil {
		return nil
	}
	for _, c := range list.Data {
		if len(c.Identities) == 1 && c.Identities[0].Peer == peer {
			return &c
		}
	}
	return nil
}

var lineChannel = simulated{
	typ: "line", account: lineBot, settings: map[string]any{"destination": lineBot},
	secrets: map[string]string{"channel_secret": lineSecret, "channel_access_token": "token-of-the-channel"},
}

// LINE's webhooks name nobody: names and pictures are looked up. An API of profiles that fails, or refuses, changes nothing else.
func TestLinePeopleAndGroupsHaveNames(t *testing.T) {
	each(t, func(t *test) {
		t.connects(lineChannel)
		t.has(lineChannel, lineFriend, map[string]any{"name": "Taro", "text": "hello"})
		t.eventually("the contact has its name and its picture", func() bool {
			c := t.contactOf(lineFriend)
			return c != nil && c.Name == "Taro" && c.Avatar == "https://profile.example/"+lineFriend
		})
		t.has(lineChannel, lineFriend, map[string]any{"name": "Taro of the class", "group": lineGroup, "text": "to all"})
		t.eventually("the group has its own name", func() bool {
			c := t.contactOf(lineGroup)
			return c != nil && c.Name == "Simulated group 2222" && strings.HasSuffix(c.Avatar, lineGroup) && c.Identities[0].Group
		})
		t.eventually("its message has the name of who wrote it", func() bool {
			var list struct {
				Data []struct {
					Sender struct{ Name, Author string } `json:"sender"`
				} `json:"data"`
			}
			c := t.find(lineGroup)
			return c != nil && t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list) == nil &&
				len(list.Data) == 1 && list.Data[0].Sender.Name == "Taro of the class" && list.Data[0].Sender.Author == lineFriend
		})
		for peer, status := range map[string]int{lineFailing: 500, lineRefused: 401} {
			t.do("PUT", "/simulator/script", "", map[string]any{"account": lineBot, "fail": map[string]any{"on": "profile", "status": status}}, nil)
			t.has(lineChannel, peer, map[string]any{"name": "Nobody learns it", "text": "hello"})
			var c *conversation
			t.eventually("the conversation is listed", func() bool { c = t.find(peer); return c != nil })
			var m message
			t.do("POST", "/v1/conversations/"+c.ID+"/messages", "ln-"+peer, map[string]string{"text": "Nice!"}, &m)
			t.eventually("the answer is accepted", func() bool {
				var now message
				return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "accepted" && len(now.ExternalIDs) == 1
			})
			if c := t.contactOf(peer); c == nil || c.Name != peer {
				t.Errorf("the contact of whom nothing was learned is %+v", c)
			}
		}
	})
}
