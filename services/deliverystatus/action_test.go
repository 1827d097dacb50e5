package deliverystatus

import (
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// The result of an action is passed on as what it is: no watermark makes it delivered, and it does not count as a message.
func TestP6_AnActionHasAResultAndNoReceipts(t *testing.T) {
	t.Parallel()
	out := &consumer{t: t, seq: map[string]int64{}, status: map[string]event.DeliveryStatus{}, steps: map[string][]string{}}
	j, applier := newJudge(t, storetest.New(t), out)
	handle := func(m bus.Message) {
		t.Helper()
		if err := j.handle(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	result := event.SendResult{
		AttemptID: "act_1", MessageID: "msg_1", ThreadID: "thr_1", Attempt: 1, ChannelID: "ch_1", Peer: "p", Parts: 1,
		Status: event.Sent, Action: event.ActionEdit, At: epoch,
	}
	said := func(typ event.Type, data any) bus.Message {
		return bus.Message{Event: event.New("evt", typ, "telegram", "t1", "act_1", epoch, data)}
	}
	read := event.Inbound{ChannelID: "ch_1", Peer: "p", Receipt: &event.Receipt{Status: event.Read, UpTo: epoch.Add(1)}}
	handle(said(event.ReceiptWatermark, read))
	handle(said(event.SendSettled, result))
	handle(said(event.SendSettled, result))
	handle(said(event.ReceiptWatermark, read))
	if err := applier.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := out.steps["act_1"]; len(got) != 1 || out.status["act_1"] != event.Sent {
		t.Errorf("steps %v, status %s", got, out.status["act_1"])
	}
	a, err := j.attempts.Get(t.Context(), "act_1")
	if err != nil || a.ChannelID != "" || a.WaitsFor != "" || a.Action != event.ActionEdit || a.MessageID != "msg_1" {
		t.Errorf("%+v, %v", a, err)
	}
}
