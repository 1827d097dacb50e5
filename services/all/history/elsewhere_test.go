package history

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/proof"
)

// The faults in this file were seen on another gateway (docs/reference/faults.md).

// types are the channel types that people write on in these tests: all that there are.
var types = []string{"whatsapp", "telegram", "line", "facebook", "instagram", "wechat", "x", "rcs", "webchat"}

// calm is a life in which nothing happens by itself; its people are n of each type.
func calm(t *testing.T, n int) *life {
	t.Helper()
	pl := plan{limit: 2, reopen: "new"}
	for range n {
		for _, kind := range types {
			pl.people = append(pl.people, person{kind: kind})
		}
	}
	l := newLife(open(t), pl)
	l.provider.say = func(shown) {} // receipts only where the test sends them
	t.Cleanup(func() {
		l.stream.stop()
		<-l.stream.over
	})
	return l
}

// say posts a person's nth message once, at a replica.
func (l *life) say(replica, i, n int) int {
	if l.people[i].kind == "webchat" {
		return l.chat(replica, i, l.ref(i, n))
	}
	return l.once(replica, l.people[i].kind, l.webhook(i, n, n))
}

// insist posts until it is acknowledged.
func (l *life) insist(replica, i, n int) { insist(func() int { return l.say(replica, i, n) }) }

// found counts the messages of this life by their texts.
func (l *life) found() map[string]int {
	out := map[string]int{}
	for _, c := range l.conversations(0) {
		items, _ := l.timeline(0, c.ID)
		for _, it := range items {
			if it.Message != nil {
				out[it.Message.Text]++
			}
		}
	}
	return out
}

func (l *life) text(i, n int) string { return "text " + l.ref(i, n) }

func TestP3_TheSameIDSixteenTimesAtOnceIsOneMessage(t *testing.T) {
	l := calm(t, 1)
	for i := range l.people {
		l.insist(0, i, 1) // somebody of web chat has to be known
		var all sync.WaitGroup
		for n := range 16 {
			all.Go(func() { insist(func() int { return l.say(n, i, 2) }) })
		}
		all.Wait()
		l.insist(1, i, 3) // what is behind it is handled after all of them
	}
	var got map[string]int
	l.eventually("the last message is there", func() bool {
		got = l.found()
		for i := range l.people {
			if got[l.text(i, 3)] == 0 {
				return false
			}
		}
		return true
	})
	f := proof.Figures{Events: 18 * len(l.people)}
	for i, p := range l.people {
		for n := 1; n <= 3; n++ {
			if k := got[l.text(i, n)]; k != 1 {
				t.Errorf("%s: message %d is there %d times", p.kind, n, k)
				f.Doubled += max(k-1, 0)
			}
		}
	}
	if n := len(l.conversations(1)); n != len(l.people) {
		t.Errorf("%d conversations of %d people", n, len(l.people))
	}
	proof.Report(t, f)
}

func TestP1_ADatabaseThatIsAwayLosesNothingOnAnyType(t *testing.T) {
	l := calm(t, 1)
	for i := range l.people {
		l.insist(0, i, 1)
		l.insist(1, i, 2)
	}
	acked, n, f := []string{}, 2, proof.Figures{}
	away := func(what string, most int) {
		t.Helper()
		l.db.now.Store(int32(gone))
		defer l.db.now.Store(int32(fair))
		for i, p := range l.people {
			for replica := range replicas {
				n++
				began := time.Now()
				s := l.say(replica, i, n)
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("%s, %s: answered after %s", what, p.kind, took)
				}
				f.Faults++
				switch {
				case s == http.StatusServiceUnavailable && s <= most:
				case s >= 200 && s < 300:
					acked = append(acked, l.text(i, n))
				default:
					t.Errorf("%s, %s: answered %d", what, p.kind, s)
				}
			}
		}
	}
	away("while the configuration is fresh", 503)
	took := len(acked)
	l.ahead.Add(int64(10 * time.Minute))
	away("while the configuration is old", 503)
	if len(acked) == 0 {
		t.Error("nothing was taken, although Kafka is there and the channels are known")
	}
	l.ahead.Add(int64(2 * time.Hour))
	before := len(acked)
	away("when nobody knows the channels any more", 503)
	if len(acked) != before {
		t.Errorf("%d were taken for channels that nobody knows", len(acked)-before)
	}
	l.eventually("everything acknowledged is there", func() bool {
		got := l.found()
		f.Lost, f.Doubled = 0, 0
		for _, text := range acked {
			if got[text] == 0 {
				f.Lost++
			}
			f.Doubled += max(got[text]-1, 0)
		}
		return f.Lost == 0
	})
	t.Logf("taken while it was away: %d fresh, %d old", took, before-took)
	f.Events = len(acked) + 2*len(l.people)
	if f.Doubled > 0 {
		t.Errorf("%d are there twice", f.Doubled)
	}
	proof.Report(t, f)
}

func TestP3_WithoutRedisEverythingIsHandedOn(t *testing.T) {
	l := calm(t, 1)
	l.redis.away()
	l.platform.faults.Add(1)
	for i := range l.people {
		l.insist(i, i, 1)
	}
	l.eventually("everybody's message is there and told", func() bool {
		for _, c := range l.conversations(0) {
			c.items, _ = l.timeline(0, c.ID)
			if missing, _ := l.stream.wrong(c); len(missing) > 0 {
				return false
			}
		}
		return len(l.conversations(0)) == len(l.people)
	})
	texts := map[string]bool{}
	for i, c := range l.conversations(0) {
		text := fmt.Sprintf("answer %d", i)
		l.must("POST", "/v1/conversations/"+c.ID+"/messages", text, map[string]string{"text": text}, nil)
		texts[text] = true
	}
	l.eventually("every answer has left", func() bool {
		left := 0
		for _, c := range l.conversations(0) {
			items, _ := l.timeline(0, c.ID)
			for _, it := range items {
				if it.Message != nil && texts[it.Message.Text] && it.Message.Status.Rank() >= event.Accepted.Rank() {
					left++
				}
			}
		}
		return left == len(l.people)
	})
	l.redis.back(t)
	proof.Report(t, proof.Figures{Events: 2 * len(l.people), Faults: 1})
}

// messages reads everything that was said, by its text, as people see it.
func (l *life) messages() map[string]message {
	out := map[string]message{}
	for _, c := range l.conversations(0) {
		items, _ := l.timeline(0, c.ID)
		for _, it := range items {
			if it.Message != nil {
				out[it.Message.Text] = *it.Message
			}
		}
	}
	return out
}

func (m message) steps() (out []string) {
	for _, s := range m.Statuses {
		out = append(out, string(s.Status))
	}
	return out
}

// answered lets an agent answer somebody on WhatsApp, and returns what the provider knows of it.
func (l *life) answered(i int, texts ...string) map[string]shown {
	l.Helper()
	var mu sync.Mutex
	got := map[string]shown{}
	l.provider.say = func(m shown) {
		mu.Lock()
		defer mu.Unlock()
		got[m.text] = m
	}
	c := ""
	l.eventually("the customer's message is there", func() bool { c = l.conversationOf(0, i); return c != "" && l.found()[l.text(i, 1)] == 1 })
	for _, text := range texts {
		l.must("POST", "/v1/conversations/"+c+"/messages", text, map[string]string{"text": text}, nil)
	}
	l.eventually("the answers are accepted", func() bool {
		there := l.messages()
		return !slices.ContainsFunc(texts, func(text string) bool { return there[text].Status != event.Accepted })
	})
	mu.Lock()
	defer mu.Unlock()
	return got
}

func TestP6_P13_StatusesInAnyOrderEndAtTheHighestAndSurviveEveryProcess(t *testing.T) {
	l := calm(t, 1)
	l.insist(0, 0, 1)
	sent := l.answered(0, "backwards", "together", "durable")
	l.receive(sent["backwards"], event.Read)
	l.receive(sent["backwards"], event.Delivered)
	l.receive(sent["backwards"], event.Sent)
	l.receive(sent["together"], event.Sent, event.Delivered, event.Read)
	l.receive(sent["durable"], event.Delivered, event.Read)
	for i := range replicas { // at the moment of the acknowledgement
		l.replace(i, true)
	}
	for text, steps := range map[string]int{"backwards": 5, "together": 5, "durable": 4} {
		var m message
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s: %s, steps %v of %d", text, m.Status, m.steps(), steps)
			}
		})
		l.eventually(text+" is read", func() bool { m = l.messages()[text]; return m.Status == event.Read && len(m.Statuses) == steps })
		if n := len(slices.Compact(slices.Sorted(slices.Values(m.steps())))); n != steps {
			t.Errorf("%s: steps %v", text, m.steps())
		}
	}
	proof.Report(t, proof.Figures{Events: 5, Faults: int(l.platform.faults.Load())})
}

func TestP4_OneWebhookForTwoNumbersLandsOnEachWithAllItsMessages(t *testing.T) {
	l := calm(t, 1)
	var other struct {
		ID string `json:"id"`
	}
	l.must("POST", "/v1/channels", "second", map[string]any{
		"type": "whatsapp", "name": "second", "settings": map[string]any{"provider": "cloud", "phone_number_id": "200000000000002", "waba_id": "1", "api_base_url": l.provider.URL + "/whatsapp"},
		"secrets": map[string]string{"app_secret": secret, "access_token": "token-of-the-second", "verify_token": "verify-of-the-second"},
	}, &other)
	const entry = `{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":"%s"},"contacts":[{"profile":{"name":"P"},"wa_id":"491701"}],"messages":[%s]}}]}`
	says := func(ids ...string) string {
		var out []string
		for _, id := range ids {
			out = append(out, fmt.Sprintf(`{"from":"491701","id":"wamid.%s","timestamp":"%d","type":"text","text":{"body":"%s"}}`, id, time.Now().Unix(), id))
		}
		return strings.Join(out, ",")
	}
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[%s,%s]}`, fmt.Sprintf(entry, l.phone(), says("a1", "a2", "a3")), fmt.Sprintf(entry, "200000000000002", says("b1", "b2")))
	mine := l.channels["whatsapp"]
	l.channels["whatsapp"] = "" // app level: the call names no channel
	insist(func() int { return l.once(0, "whatsapp", body) })
	for channel, want := range map[string][]string{mine: {"a1", "a2", "a3"}, other.ID: {"b1", "b2"}} {
		l.channels["whatsapp"] = channel
		var got []string
		l.eventually("the messages are there", func() bool {
			got = nil
			for _, c := range l.conversations(0) {
				items, _ := l.timeline(0, c.ID)
				for _, it := range items {
					if it.Message != nil {
						got = append(got, it.Message.Text)
					}
				}
			}
			return len(got) >= len(want)
		})
		if !slices.Equal(got, want) {
			t.Errorf("channel %s has %v, want %v", channel, got, want)
		}
	}
}

// X gives an app few webhooks: one of its accounts has the URL, and what is for another account reaches that account's channel.
func TestP4_TheURLOfOneAccountTakesWhatIsForAnotherOfItsApp(t *testing.T) {
	l := calm(t, 1)
	var other struct {
		ID string `json:"id"`
	}
	user := fmt.Sprintf("16599999%05d", l.n)
	l.must("POST", "/v1/channels", l.key("second account"), map[string]any{
		"type": "x", "name": "second", "settings": map[string]any{"user_id": user, "api_base_url": l.provider.URL + "/x"},
		"secrets": map[string]string{"consumer_key": "key", "consumer_secret": secret, "access_token": user + "-token", "access_token_secret": "token-secret"},
	}, &other)
	said := func(to, id string) []byte {
		return fmt.Appendf(nil, `{"data":{"event_uuid":"1","filter":{"user_id":%q},"event_type":"dm.received","payload":{"direct_message_events":[`+
			`{"type":"message_create","id":%q,"created_timestamp":"%d","message_create":{"target":{"recipient_id":%q},"sender_id":"1790000000000000001","message_data":{"text":%q}}}]}}}`,
			to, id, time.Now().UnixMilli(), to, id)
	}
	mine := l.channels["x"]
	insist(func() int { return l.once(0, "x", said(user, "1001")) })
	insist(func() int { return l.once(1, "x", said(l.user(), "1002")) })
	for channel, want := range map[string]string{mine: "1002", other.ID: "1001"} {
		l.channels["x"] = channel
		var got map[string]int
		l.eventually("the message is there", func() bool { got = l.found(); return len(got) > 0 })
		if len(got) != 1 || got[want] != 1 {
			t.Errorf("channel %s has %v, want %s", channel, got, want)
		}
	}
}

func TestP7_P13_KilledWithSixteenSendsInFlight(t *testing.T) {
	l := calm(t, 16)
	var people []int
	for i, p := range l.people {
		if p.kind == "whatsapp" {
			people = append(people, i)
			l.insist(i, i, 1)
		}
	}
	l.eventually("everybody's message is there", func() bool { return len(l.found()) == len(people) })
	answer := func(round string) {
		for _, c := range l.conversations(0) {
			text := round + " " + c.Peer
			l.must("POST", "/v1/conversations/"+c.ID+"/messages", text, map[string]string{"text": text}, nil)
		}
	}
	hold := make(chan struct{})
	l.provider.mu.Lock()
	l.provider.hold = hold
	l.provider.mu.Unlock()
	answer("in flight")
	l.eventually("sixteen calls are under way", func() bool { return l.provider.busy() == len(people) })
	l.ahead.Add(int64(2 * time.Minute)) // past the deadline of the calls
	for i := range replicas {
		l.replace(i, true)
	}
	l.provider.mu.Lock()
	l.provider.hold = nil
	l.provider.mu.Unlock()
	close(hold)
	fates := map[event.DeliveryStatus]int{}
	l.eventually("every answer has a fate", func() bool {
		clear(fates)
		there := l.messages()
		for _, i := range people {
			fates[there["in flight "+l.peer(i)].Status]++
		}
		return fates[event.Queued]+fates[""] == 0
	})
	if fates[event.Unsure] != len(people) {
		t.Errorf("fates %v: nobody knows what became of a call whose caller died", fates)
	}
	answer("after") // nobody's place is still taken by the dead
	l.eventually("the next answers leave", func() bool {
		there := l.messages()
		return !slices.ContainsFunc(people, func(i int) bool { return there["after "+l.peer(i)].Status != event.Accepted })
	})
	f := proof.Figures{Events: 3 * len(people), Faults: replicas}
	l.provider.mu.Lock()
	for text, n := range l.provider.taken {
		if n > 1 {
			t.Errorf("%q reached the person %d times", text, n)
			f.Doubled++
		}
	}
	l.provider.mu.Unlock()
	var stats struct {
		Counts map[event.DeliveryStatus]int `json:"counts"`
	}
	l.must("GET", "/v1/delivery-stats?channel_id="+l.channels["whatsapp"], "", nil, &stats)
	for status, n := range stats.Counts {
		if want := map[event.DeliveryStatus]int{event.Unsure: len(people), event.Accepted: len(people)}[status]; n != want {
			t.Errorf("%d are counted as %s, want %d", n, status, want)
		}
	}
	proof.Report(t, f)
}

func TestP11_WhatNobodyProvedIsRefusedOnEveryTypeAndLearnsNothing(t *testing.T) {
	l := calm(t, 1)
	for i, p := range l.people {
		if p.kind == "webchat" { // its people have sessions
			continue
		}
		path := l.url(0) + "/webhooks/" + p.kind + "/" + l.channels[p.kind]
		for name, header := range map[string]http.Header{
			"without a proof": {}, "with a wrong one": {"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}, "X-Telegram-Bot-Api-Secret-Token": {"wrong"}},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(string(l.webhook(i, 1, 1))))
			l.ok(err)
			req.Header = header
			status, body := l.ask(req)
			if status != http.StatusUnauthorized || strings.Contains(body, secret) || strings.Contains(body, "sha256") {
				t.Errorf("%s %s: %d %s", p.kind, name, status, body)
			}
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url(0)+"/chat/"+l.channels["webchat"]+"/messages", strings.NewReader(`{"clientId":"x","text":"forged"}`))
	l.ok(err)
	req.Header.Set("Authorization", "Bearer forged")
	if status, body := l.ask(req); status != http.StatusUnauthorized || strings.Contains(body, "key") {
		t.Errorf("webchat: %d %s", status, body)
	}
	l.insist(0, 0, 1)
	l.eventually("the proved one is there", func() bool { return len(l.conversations(0)) == 1 })
	if got := l.found(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}
