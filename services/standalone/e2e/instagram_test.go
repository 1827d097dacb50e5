package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	igAccount = "17841455500011223"
	igPerson  = "1188223344556677"
	igPost    = "17999000111222333"
)

var instagramChannel = simulated{
	typ: "instagram", account: igAccount, settings: map[string]any{"account_id": igAccount, "login": "instagram", "app_id": "1029384756"},
	secrets: map[string]string{"app_secret": "secret-of-the-app", "access_token": "IGAA-token-of-the-account", "verify_token": "verify-the-account"},
}

// connectInstagram makes the channel, and has it subscribe to its webhooks.
func (t *test) connectInstagram() {
	t.Helper()
	t.do("POST", "/webhooks/instagram/"+t.connects(instagramChannel)+"/~test", "", nil, nil)
}

// A message there and back, which is seen; a story that is shown where it is, and erased when it is taken back; a comment that is answered
// privately.
func TestInstagramThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		t.connectInstagram()
		t.has(instagramChannel, igPerson, map[string]any{"name": "Nina Sample", "text": "hello"})
		var c *conversation
		t.eventually("the conversation is listed", func() bool { c = t.find(igPerson); return c != nil })
		t.eventually("the contact has its name", func() bool { a := t.contactOf(igPerson); return a != nil && a.Name == "Nina Sample" })
		var m message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "ig-1", map[string]string{"text": "Nice!"}, &m)
		t.eventually("the answer is read", func() bool {
			var now message
			return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "read" && len(now.ExternalIDs) == 1
		})
		t.sawAStory(c)
		t.commentedOnInstagram()
	})
}

func (t *test) sawAStory(c *conversation) {
	t.has(instagramChannel, igPerson, map[string]any{"kind": "story_mention"})
	type told struct {
		ID          string `json:"id"`
		Type        string `json:"type"`
		DeletedAt   string `json:"deleted_at"`
		Attachments []struct {
			URL   string `json:"url"`
			State string `json:"state"`
		} `json:"attachments"`
	}
	var story told
	t.eventually("the story is shown", func() bool {
		var list page[told]
		if t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list) != nil {
			return false
		}
		i := slices.IndexFunc(list.Data, func(m told) bool { return m.Type == "story_mention" })
		if i < 0 || len(list.Data[i].Attachments) != 1 || list.Data[i].Attachments[0].State != "remote" {
			return false
		}
		story = list.Data[i]
		return true
	})
	led := func() (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, t.url+"/v1/attachments/"+story.Attachments[0].URL[strings.LastIndex(story.Attachments[0].URL, "/")+1:], nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+t.key)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Location")
	}
	t.eventually("the story leads to the provider", func() bool {
		status, to := led()
		return status == http.StatusFound && strings.Contains(to, "/simulator/instagram/cdn/")
	})
	t.has(instagramChannel, igPerson, map[string]any{"kind": "delete"})
	t.eventually("the story is erased", func() bool {
		var now told
		status, _ := led()
		return status == http.StatusNotFound && t.call(t.Context(), "GET", "/v1/messages/"+story.ID, "", nil, &now) == nil && now.DeletedAt != "" && len(now.Attachments) == 0
	})
}

func (t *test) commentedOnInstagram() {
	peer := t.has(instagramChannel, igPerson, map[string]any{"username": "nina.sample", "post": igPost, "text": "how much?"})
	if peer == igPerson {
		t.Fatal("a commenter has another id than among messages")
	}
	var c *conversation
	t.eventually("the comments are a conversation", func() bool {
		var list page[conversation]
		if t.call(t.Context(), "GET", "/v1/conversations?kind=comments", "", nil, &list) != nil || len(list.Data) != 1 || list.Data[0].Peer != peer {
			return false
		}
		c = &list.Data[0]
		return true
	})
	var m message
	t.do("POST", "/v1/conversations/"+c.ID+"/messages", "ig-c", map[string]string{"text": "20 €"}, &m)
	t.eventually("the answer is there", func() bool {
		var now message
		return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "sent"
	})
	var list page[message]
	t.do("GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list)
	i := slices.IndexFunc(list.Data, func(m message) bool { return m.Direction == "inbound" })
	if i < 0 {
		t.Fatalf("no comment in %+v", list.Data)
	}
	comment := list.Data[i].ID
	type acted struct {
		Hidden  bool `json:"hidden"`
		Actions []struct {
			Status string `json:"status"`
		} `json:"actions"`
	}
	now := func() (m acted) {
		_ = t.call(t.Context(), "GET", "/v1/messages/"+comment, "", nil, &m)
		return m
	}
	t.do("POST", "/v1/messages/"+comment+"/hide", "ig-hide", nil, nil)
	t.eventually("the comment is hidden", func() bool { return now().Hidden })
	t.do("POST", "/v1/messages/"+comment+"/private-reply", "ig-private", map[string]string{"text": "by message"}, nil)
	t.eventually("it is answered privately", func() bool {
		as := now().Actions
		return len(as) == 2 && left(as[1].Status)
	})
}
