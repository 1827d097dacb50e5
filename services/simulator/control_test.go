package simulator_test

import (
	"strings"
	"testing"
)

func TestControlNeedsTheRightCaller(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	for name, c := range map[string]struct {
		key  string
		want int
	}{"no key": {"", 401}, "a wrong key": {"trb_x_y", 401}, "a weak key": {w.keys["weak"], 403}} {
		if status, _ := w.call(c.key, "GET", "/simulator/messages", nil, nil); status != c.want {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// TestP10_SimulatedAccountsBelongToTheirTenant: another tenant neither sees nor scripts nor takes them.
func TestP10_SimulatedAccountsBelongToTheirTenant(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.one(text("att_1", "secret"))
	other := w.keys["other"]
	for path, in := range map[string]obj{"inbound": {"type": "whatsapp", "from": ana}, "receipts": {"id": "wamid.x", "status": "read"}} {
		if status, _ := w.call(other, "POST", "/simulator/"+path, in, nil); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := w.call(other, "PUT", "/simulator/script", obj{"fail": obj{"code": 1}}, nil); status != 404 {
		t.Errorf("script: %d", status)
	}
	for _, path := range []string{"/simulator/messages", "/simulator/calls", "/simulator/accounts"} {
		var got struct{ Data []obj }
		if w.call(other, "GET", path, nil, &got); len(got.Data) != 0 {
			t.Errorf("%s: %v", path, got.Data)
		}
	}
	if status, _ := w.call(other, "DELETE", "/simulator/messages", nil, nil); status != 204 || len(w.accepted("")) != 1 {
		t.Errorf("delete: %d", status)
	}
	mine := obj{"type": "whatsapp", "settings": w.ch.Settings, "secrets": obj{"app_secret": "a", "access_token": "b"}}
	if status, _ := w.call(other, "POST", "/simulator/accounts", mine, nil); status != 409 {
		t.Errorf("a second owner: %d", status)
	}
}

func TestBadInputIsNamed(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	for _, c := range []struct {
		method, path string
		in           obj
		want         string
	}{
		{"POST", "accounts", obj{"type": "fax"}, "/type"},
		{"POST", "accounts", obj{"type": "whatsapp", "settings": obj{"phone_number_id": "x"}}, "/settings/phone_number_id"},
		{"POST", "accounts", obj{"type": "whatsapp", "settings": obj{"phone_number_id": "12"}}, "/secrets/app_secret"},
		{"POST", "accounts", obj{"type": "telegram", "settings": obj{"bot_username": "b"}, "secrets": obj{"bot_token": "1:a"}, "webhook_url": "http://10.0.0.1/"}, "/webhook_url"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": ana, "txt": "x"}, "/txt"},
		{"POST", "inbound", obj{"type": "whatsapp"}, "/from"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": "me"}, "/from"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": ana, "kind": "hologram"}, "/kind"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": ana, "kind": "edit"}, "/target"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": ana, "at": "noon"}, "/at"},
		{"POST", "inbound", obj{"type": "whatsapp", "from": ana, "count": -1}, "/count"},
		{"POST", "receipts", obj{"id": "wamid.x", "status": "eaten"}, "/status"},
		{"PUT", "script", obj{"latency": 5}, "/latency"},
		{"PUT", "script", obj{"latency_ms": -5}, "/latency_ms"},
		{"PUT", "script", obj{"window": "a day"}, "/window"},
		{"PUT", "script", obj{"receipts": obj{"order": "wild"}}, "/receipts/order"},
		{"PUT", "script", obj{"recipients": obj{"1": "gone"}}, "/recipients/1"},
	} {
		status, body := w.call(w.key, c.method, "/simulator/"+c.path, c.in, nil)
		if status != 422 || !strings.Contains(body, `"pointer":"`+c.want+`"`) {
			t.Errorf("%s %v: %d %s", c.path, c.in, status, body)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"duplicate_webhooks": 1, "reorder_ms": 5}, nil)
	var got struct {
		Count    int
		Statuses map[string]int
	}
	w.must("POST", "/simulator/inbound", obj{"type": "whatsapp", "from": "+" + ana, "text": "n", "count": 100, "concurrency": 8, "senders": 10}, &got)
	if got.Count != 100 || got.Statuses["200"] != 100 {
		t.Errorf("told %+v", got)
	}
	people, refs := map[string]int{}, map[string]int{}
	for _, e := range w.wait(200) {
		people[e.Peer]++
		refs[e.Ref]++
	}
	if len(people) != 10 || len(refs) != 100 {
		t.Errorf("%d people, %d messages", len(people), len(refs))
	}
	for ref, n := range refs {
		if n != 2 {
			t.Errorf("%s came %d times", ref, n)
		}
	}
}

func TestWebhooksComeAgain(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.status = 503
	var got struct {
		Status int
		ID     string
	}
	w.must("POST", "/simulator/inbound", obj{"type": "whatsapp", "from": ana, "text": "patience"}, &got)
	if got.Status != 503 {
		t.Fatalf("answered %d", got.Status)
	}
	w.until("a second try", func() bool { return w.calls >= 2 })
	w.mu.Lock()
	w.status = 0
	w.mu.Unlock()
	if es := w.wait(1); es[0].ExternalID != got.ID {
		t.Errorf("%s came instead of %s", es[0].ExternalID, got.ID)
	}
	var stats struct{ Taken, Refused int }
	w.until("the count", func() bool {
		w.must("GET", "/simulator/webhooks", nil, &stats)
		return stats.Taken == 1 && stats.Refused >= 2
	})
}

// What is null is not there: programs write their empty fields so.
func TestNullIsNothing(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.must("PUT", "/simulator/script", obj{"fail": nil, "reset_before": nil, "lose_answer": nil, "throttle": nil, "receipts": nil, "recipients": nil}, nil)
	w.must("POST", "/simulator/inbound", obj{"type": "whatsapp", "from": "+4915112345678", "text": "hi", "media": nil, "location": nil, "contacts": nil, "referral": nil}, nil)
}
