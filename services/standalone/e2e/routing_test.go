package e2e

import (
	"testing"
)

func TestRoutingGivesItToAnAgentWhoIsThere(t *testing.T) {
	each(t, func(t *test) {
		var user struct {
			AgentID string `json:"agent_id"`
		}
		t.do("POST", "/v1/users", "u1", map[string]string{"name": "Ana", "email": "ana@example.com", "role": "agent"}, &user)
		var queue struct {
			ID string `json:"id"`
		}
		t.do("POST", "/v1/queues", "q1", map[string]any{"name": "Support", "agent_ids": []string{user.AgentID}}, &queue)
		t.do("PATCH", "/v1/channels/"+t.channel, "", map[string]any{"queue_id": queue.ID}, nil)
		t.post("4915100000001", "wamid.r1", "is anybody there?")
		var c *conversation
		t.eventually("it waits", func() bool { c = t.find("4915100000001"); return c != nil })
		t.do("PUT", "/v1/agents/"+user.AgentID+"/presence", "", map[string]string{"state": "idle"}, nil)
		t.eventually("the agent has it", func() bool {
			c = t.find("4915100000001")
			return c != nil && c.Assignee != nil && c.Assignee.ID == user.AgentID
		})
		var why page[struct {
			Outcome string `json:"outcome"`
		}]
		t.eventually("the decision is explained", func() bool {
			return t.call(t.Context(), "GET", "/v1/conversations/"+c.ID+"/routing", "", nil, &why) == nil && len(why.Data) > 0
		})
	})
}
