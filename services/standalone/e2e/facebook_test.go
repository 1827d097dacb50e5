package e2e

import (
	"slices"
	"strings"
	"testing"
)

const (
	fbPage   = "204811577390142"
	fbPerson = "7312094458812037"
)

var facebookChannel = simulated{
	typ: "facebook", account: fbPage, settings: map[string]any{"page_id": fbPage, "app_id": "1029384756"},
	secrets: map[string]string{"app_secret": "secret-of-the-app", "page_access_token": "EAAG-token-of-the-page", "verify_token": "verify-the-page"},
}

// connectFacebook makes the channel, has it subscribe to its webhooks, and returns its id.
func (t *test) connectFacebook() (id string) {
	t.Helper()
	id = t.connects(facebookChannel)
	t.do("POST", "/webhooks/facebook/"+id+"/~test", "", nil, nil)
	return id
}

// A conversation that another app has is recorded, and nobody is given it until it is passed to this one; what an agent holds stays theirs.
func TestFacebookLeavesToOtherAppsWhatTheyHave(t *testing.T) {
	each(t, func(t *test) {
		d := newDesk(t)
		d.channelQueue(d.queue)
		d.do("PATCH", "/v1/channels/"+t.connectFacebook(), "", map[string]any{"queue_id": d.queue}, nil)
		d.presence("idle")
		mine := func(c *conversation) bool { return c.heldBy(d.agent) }
		t.has(facebookChannel, fbPerson, map[string]any{"name": "Ana Ribeiro", "text": "hello bot", "standby": true})
		c := d.until("it waits for the other app", fbPerson, func(c *conversation) bool { return c.Standby && c.Assignee == nil })
		other := d.write("meanwhile others are routed", mine) // routing has passed by: the records of both are of one tenant
		d.act(other, "close", map[string]any{})
		if now := d.find(fbPerson); !now.Standby || now.Assignee != nil {
			t.Fatalf("routed although another app has it: %+v", now)
		}
		t.has(facebookChannel, fbPerson, map[string]any{"kind": "thread_control"})
		d.until("it is passed to us", fbPerson, func(c *conversation) bool { return !c.Standby && mine(c) })
		t.has(facebookChannel, fbPerson, map[string]any{"kind": "thread_control", "target": "77"})
		d.until("it is taken, and its agent still has it", fbPerson, func(c *conversation) bool { return c.Standby && mine(c) })
		var rows page[struct {
			Type string `json:"type"`
			Data struct {
				Standby bool `json:"standby"`
			} `json:"data"`
		}]
		t.eventually("the timeline tells", func() bool {
			var told []bool
			if t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/events", "", nil, &rows) != nil {
				return false
			}
			for _, r := range rows.Data {
				if r.Type == "thread_control" {
					told = append(told, r.Data.Standby)
				}
			}
			return len(told) == 2 && told[0] != told[1]
		})
	})
}

// A message there and back with its receipts; a comment that is answered, hidden and answered privately, which tells that both are one
// person.
func TestFacebookThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		t.connectFacebook()
		t.has(facebookChannel, fbPerson, map[string]any{"name": "Ana Ribeiro", "text": "hello"})
		var c *conversation
		t.eventually("the conversation is listed", func() bool { c = t.find(fbPerson); return c != nil })
		t.eventually("the contact has its name", func() bool { a := t.contactOf(fbPerson); return a != nil && a.Name == "Ana Ribeiro" })
		var m message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "fb-1", map[string]string{"text": "Nice!"}, &m)
		t.eventually("the answer is read", func() bool {
			var now message
			return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "read" && len(now.ExternalIDs) == 1
		})
		t.commentedOnFacebook()
	})
}

func (t *test) commentedOnFacebook() {
	peer := t.has(facebookChannel, fbPerson, map[string]any{"name": "Ana Ribeiro", "post": "330011224455", "text": "how much?"})
	if peer == fbPerson {
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
	var shown struct {
		Kind string `json:"kind"`
		Post struct {
			ID string `json:"id"`
		} `json:"post"`
		Window struct {
			State string `json:"state"`
		} `json:"window"`
	}
	t.do("GET", "/v1/conversations/"+c.ID, "", nil, &shown)
	if shown.Kind != "comments" || shown.Post.ID != fbPage+"_330011224455" || shown.Window.State != "none" {
		t.Errorf("the conversation is %+v", shown)
	}
	buttons := map[string]any{"interactive": map[string]any{"kind": "buttons", "body": "?", "buttons": []map[string]string{{"id": "a", "title": "A"}}}}
	if err := t.call(t.Context(), "POST", "/v1/conversations/"+c.ID+"/messages", "fb-buttons", buttons, nil); err == nil || !strings.Contains(err.Error(), "422") {
		t.Errorf("buttons below a post: %v", err)
	}
	var m message
	t.do("POST", "/v1/conversations/"+c.ID+"/messages", "fb-c", map[string]string{"text": "20 €"}, &m)
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
			Kind   string `json:"kind"`
			Status string `json:"status"`
		} `json:"actions"`
	}
	now := func() (m acted) {
		_ = t.call(t.Context(), "GET", "/v1/messages/"+comment, "", nil, &m)
		return m
	}
	t.do("POST", "/v1/messages/"+comment+"/hide", "fb-hide", nil, nil)
	t.eventually("the comment is hidden", func() bool { return now().Hidden })
	t.do("POST", "/v1/messages/"+comment+"/private-reply", "fb-private", map[string]string{"text": "by message"}, nil)
	var last acted
	defer func() {
		if t.Failed() {
			t.Logf("the comment is %+v", last)
		}
	}()
	t.eventually("it is answered privately", func() bool {
		last = now()
		as := last.Actions
		return len(as) == 2 && left(as[1].Status)
	})
}
