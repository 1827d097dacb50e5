package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/event"
)

type hook struct {
	Seq     int64
	Kind    string
	Peer    string
	Message string
	Status  int
	Try     int
	Body    json.RawMessage
}

type hooks struct {
	Data []hook
	Last int64
}

// TestTheLogShowsWebhooksAndTheirAnswers: every try, of what people do and of receipts, with the message that it is about.
func TestTheLogShowsWebhooksAndTheirAnswers(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	w.status = 503
	var told struct{ ID, Peer string }
	w.must("POST", "/simulator/inbound", obj{"type": "whatsapp", "from": "+" + ana, "text": "patience"}, &told)
	w.mu.Lock()
	w.status = 0
	w.mu.Unlock()
	w.wait(1)
	sent := w.one(text("att_1", "hello"))
	var got hooks
	w.until("three receipts", func() bool {
		w.must("GET", "/simulator/webhooks/log?to=%2B"+ana, nil, &got)
		return len(got.Data) > 0 && got.Data[len(got.Data)-1].Kind == "read"
	})
	first, read := got.Data[0], got.Data[len(got.Data)-1]
	if told.Peer != ana || first.Status != 503 || first.Try != 1 || first.Kind != "text" || first.Message != told.ID || first.Peer != ana || !strings.Contains(string(first.Body), "patience") {
		t.Errorf("first try %+v of %+v", first, told)
	}
	if read.Status != 200 || read.Message != sent || read.Peer != ana || read.Try != 1 {
		t.Errorf("receipt %+v of %s", read, sent)
	}
	second := false
	for _, h := range got.Data {
		second = second || h.Message == told.ID && h.Try > 1 && h.Status == 200
	}
	if !second {
		t.Errorf("no second try in %+v", got.Data)
	}
	var end, other hooks
	w.must("GET", "/simulator/webhooks/log?newest=true&limit=1", nil, &end)
	if len(end.Data) != 1 || end.Data[0].Seq != end.Last {
		t.Errorf("the newest: %+v", end)
	}
	if w.call(w.keys["other"], "GET", "/simulator/webhooks/log", nil, &other); len(other.Data) != 0 {
		t.Errorf("another tenant sees %+v", other.Data)
	}
	w.must("DELETE", "/simulator/messages", nil, nil)
	if w.must("GET", "/simulator/webhooks/log", nil, &end); len(end.Data) != 0 || end.Last == 0 {
		t.Errorf("after the clear: %+v", end)
	}
}

// TestTheLogHidesSecrets: a bot's token is in the path of its calls, and is shown nowhere.
func TestTheLogHidesSecrets(t *testing.T) {
	t.Parallel()
	w := bot(t)
	w.write(obj{"from": ivo, "text": "bok"})
	w.one(event.Outbound{AttemptID: "att_1", Peer: ivo, Content: event.Content{Type: event.Text, Text: "hi"}})
	w.must("PUT", "/simulator/script", obj{"fail": obj{"code": 403}}, nil)
	if out := w.send(toIvo(event.Content{Type: event.Text, Text: "no"})); out[0].err == nil {
		t.Fatal("was not refused")
	}
	var got struct {
		Data []struct {
			Method, Path string
			Answer       struct{ Description string }
		}
	}
	w.must("GET", "/simulator/calls", nil, &got)
	if n := len(got.Data); n < 2 || got.Data[n-1].Method != "POST" || got.Data[n-1].Path != "/bot…/sendMessage" || got.Data[n-1].Answer.Description == "" || got.Data[n-2].Answer.Description != "" {
		t.Errorf("calls %+v", got.Data)
	}
	for _, path := range []string{"calls", "messages", "webhooks/log"} {
		if _, body := w.call(w.key, "GET", "/simulator/"+path, nil, nil); strings.Contains(body, "AA-token") || strings.Contains(body, "hook_secret") {
			t.Errorf("%s shows a secret: %s", path, body)
		}
	}
}

func TestTheNewestOfManyComeInOrder(t *testing.T) {
	t.Parallel()
	w := cloud(t)
	for _, s := range []string{"one", "two", "three"} {
		w.one(text("att_"+s, s))
	}
	var got struct {
		Data []struct{ Text string }
		Last int64
	}
	w.must("GET", "/simulator/messages?newest=true&limit=2", nil, &got)
	if len(got.Data) != 2 || got.Data[0].Text != "two" || got.Data[1].Text != "three" || got.Last != 3 {
		t.Errorf("got %+v", got)
	}
}
