package e2e

import (
	"testing"
)

var telegramChannel = simulated{
	typ: "telegram", account: "700", settings: map[string]any{"bot_username": "e2e_bot"},
	secrets: map[string]string{"bot_token": "700:abcdefghijklmnopqrstuvwxyz", "webhook_secret": "hook-secret"},
}

func TestTelegramThereAndBack(t *testing.T) {
	each(t, func(t *test) {
		t.connects(telegramChannel)
		t.has(telegramChannel, "3527065", map[string]any{"name": "Kim", "kind": "image", "text": "look"})
		var c *conversation
		t.eventually("the conversation is listed", func() bool { c = t.find("3527065"); return c != nil })
		t.eventually("the picture was fetched", func() bool {
			var list struct {
				Data []struct {
					Attachments []struct {
						State string `json:"state"`
					} `json:"attachments"`
				} `json:"data"`
			}
			_ = t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/messages", "", nil, &list)
			return len(list.Data) == 1 && len(list.Data[0].Attachments) == 1 && list.Data[0].Attachments[0].State == "ready"
		})
		var m message
		t.do("POST", "/v1/conversations/"+c.ID+"/messages", "tg-1", map[string]string{"text": "Nice!"}, &m)
		t.eventually("the answer is sent", func() bool {
			var now message
			return t.call(t.Context(), "GET", "/v1/messages/"+m.ID, "", nil, &now) == nil && now.Status == "sent" && len(now.ExternalIDs) == 1
		})
		t.editedAndUnsent(m.ID)
	})
}

// editedAndUnsent edits a message of ours at the provider, and takes it back.
func (t *test) editedAndUnsent(id string) {
	type acted struct {
		Text      string  `json:"text"`
		EditedAt  *string `json:"edited_at"`
		DeletedAt *string `json:"deleted_at"`
		Actions   []struct {
			Kind   string `json:"kind"`
			Status string `json:"status"`
		} `json:"actions"`
	}
	now := func() (m acted) {
		_ = t.call(t.Context(), "GET", "/v1/messages/"+id, "", nil, &m)
		return m
	}
	t.do("POST", "/v1/messages/"+id+"/edit", "tg-edit", map[string]string{"text": "Very nice!"}, nil)
	t.eventually("the edit is shown", func() bool {
		m := now()
		return m.EditedAt != nil && m.Text == "Very nice!" && m.Actions[0].Status == "sent"
	})
	t.do("POST", "/v1/messages/"+id+"/edit", "tg-edit-again", map[string]string{"text": "Very nice!"}, nil)
	t.eventually("an edit to what it says already is done", func() bool { m := now(); return len(m.Actions) == 2 && m.Actions[1].Status == "sent" })
	t.do("POST", "/v1/messages/"+id+"/unsend", "tg-unsend", nil, nil)
	t.eventually("the message is taken back", func() bool {
		m := now()
		return m.DeletedAt != nil && m.Text == "" && m.Actions[2].Status == "sent"
	})
	var calls struct {
		Data []struct {
			Name    string `json:"name"`
			Outcome string `json:"outcome"`
		} `json:"data"`
	}
	t.do("GET", "/simulator/calls?type=telegram", "", nil, &calls)
	seen := map[string]string{}
	for _, c := range calls.Data {
		seen[c.Name] = c.Outcome
	}
	if seen["editMessageText"] == "" || seen["deleteMessage"] != "accepted" {
		t.Errorf("the provider saw %v", seen)
	}
}
