package whatsapp

import (
	"cmp"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/services/simulator/account"
	"github.com/tributaryhq/tributary/services/simulator/ledger"
	"github.com/tributaryhq/tributary/services/simulator/webhook"
)

// receipts schedules what is told about a message that was accepted.
func (p *Provider) receipts(a *account.Account, o *outgoing, m *ledger.Message, who account.Person) {
	script := a.Script()
	plan := script.Receipts
	state := script.Recipient(m.To)
	switch {
	case state == "unknown":
		plan.FailWith = 131026
	case o.Type != "template" && script.Closed(who.Wrote, m.At):
		plan.FailWith = 131047
	}
	for _, s := range plan.Plan() {
		if (state == "blocked" || who.Blocked || o.Type == "reaction") && (s.Status == "delivered" || s.Status == "read") {
			continue // nobody gets it; a reaction is only ever sent
		}
		// A queue that is full is counted there: receipts may be lost with a real provider too.
		_ = p.Send(a, p.status(a, m, s))
	}
}

// status is the webhook of one receipt. Those of one message come in the order that the script wants, however busy this machine is.
func (p *Provider) status(a *account.Account, m *ledger.Message, s account.Step) webhook.Post {
	id, to, ref, kind, at := m.ID, m.To, m.ClientRef, m.Kind, m.At.Add(s.At)
	return webhook.Post{Key: "status " + id, After: s.After, About: webhook.About{Kind: s.Status, Peer: to, Message: id}, Make: func() webhook.Call {
		st := obj{"id": id, "status": s.Status, "timestamp": unix(at)}
		value := obj{"statuses": []obj{st}}
		if to != "" {
			value["contacts"] = []obj{recipient(a, st, to)}
		}
		if ref != "" {
			st["biz_opaque_callback_data"] = ref
		}
		if s.Status == "sent" || s.Status == "delivered" {
			st["pricing"] = pricing(kind)
		}
		if s.Status == "failed" {
			st["errors"] = []obj{failed(s.Code, "")}
		}
		return call(a.Config(), value)
	}}
}

// recipient writes into a status whom the message went to, and is that person's contact object: ids alone, without a profile. Of a
// failed message to a number Meta tells no user id. A group has one status for each participant; here only the one who wrote last,
// or a made-up one, gets what is sent to it.
func recipient(a *account.Account, st obj, to string) obj {
	switch {
	case number(to) && st["status"] == "failed":
		st["recipient_id"] = to
		return obj{"wa_id": to}
	case number(to):
		st["recipient_id"], st["recipient_user_id"] = to, userID(a.Config(), to)
		return obj{"wa_id": to, "user_id": st["recipient_user_id"]}
	case scoped(to):
		st["recipient_user_id"] = to
		return obj{"user_id": to}
	}
	st["recipient_type"], st["recipient_id"] = "group", to
	from := cmp.Or(a.People.Known(to).Author, "15550107799")
	one := obj{"user_id": userID(a.Config(), from)}
	st["recipient_participant_user_id"] = one["user_id"]
	if number(from) {
		st["recipient_participant_id"], one["wa_id"] = from, from
	}
	return one
}

func pricing(kind string) obj {
	if kind == "template" {
		return obj{"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"}
	}
	return obj{"billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Receipt is a receipt sent by hand. The message need not be one that was accepted here.
func (p *Provider) Receipt(a *account.Account, id, status string, code int) (webhook.Post, error) {
	switch status {
	case "sent", "delivered", "read", "played":
	case "failed":
		if code == 0 {
			code = 131026
		}
	default:
		return webhook.Post{}, fault.At("/status", "bad_value", "want sent, delivered, read, played or failed")
	}
	m, ok := p.Ledger.Message(a, id)
	if !ok {
		m = ledger.Message{ID: id}
	}
	m.At = p.Now()
	return p.status(a, &m, account.Step{Status: status, Code: code}), nil
}
