package whatsapp

import (
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/graph"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// call wraps a value into Meta's envelope and signs it.
func call(c *account.Config, value obj) webhook.Call { return change(c, "messages", value) }

func change(c *account.Config, field string, value obj) webhook.Call {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = obj{"display_phone_number": account.Bare(c.Display), "phone_number_id": c.ID}
	return signed(c, graph.Encode(obj{"object": "whatsapp_business_account",
		"entry": []obj{{"id": own(c).waba, "changes": []obj{{"value": value, "field": field}}}}}))
}

func signed(c *account.Config, body []byte) webhook.Call {
	h := graph.Header(c.Secrets["app_secret"], body)
	if isDialog(c) {
		h.Del("X-Hub-Signature-256")
		h.Set("X-360dialog-Signature", graph.Sum(c.Secrets["webhook_secret"], body))
		for k, v := range own(c).header {
			h.Set(k, v)
		}
	}
	return webhook.Call{URL: c.WebhookURL, Header: h, Body: body}
}
