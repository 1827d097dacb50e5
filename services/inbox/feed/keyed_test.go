package feed

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
)

type announced map[event.ChannelType]bool

func (a announced) Type(_ context.Context, t event.ChannelType) (channel.Info, error) {
	switch session, ok := a[t]; {
	case t == event.WeChat:
		return channel.Info{}, errors.New("the store is away")
	case !ok:
		return channel.Info{}, fault.New(fault.Gone, "not_found", "no such type")
	default:
		return channel.Info{Type: t, Session: session}, nil
	}
}

type sink struct {
	bus.Bus
	got []event.Record
}

func (s *sink) Publish(_ context.Context, recs ...event.Record) error {
	s.got = append(s.got, recs...)
	return nil
}

func TestRecordsOfTypesWithSessionsAreKeyedByChannel(t *testing.T) {
	t.Parallel()
	types := announced{event.SMS: true, event.Telegram: false}
	in := []event.Record{
		{Topic: event.TopicConversations, Key: "thr_1"},
		{Topic: event.TopicOutbound(event.Telegram), Key: event.Key("ch_t", "ann")},
		{Topic: event.TopicOutbound(event.SMS), Key: event.Key("ch_s", "+49|1")},
		{Topic: event.TopicOutbound(event.Line), Key: event.Key("ch_l", "ann")},
	}
	to := &sink{}
	if err := (Keyed{Bus: to, Types: types}).Publish(t.Context(), in...); err != nil {
		t.Fatal(err)
	}
	want := []event.Record{in[0], in[1], {Topic: in[2].Topic, Key: "ch_s", Lane: event.Key("ch_s", "+49|1")}, in[3]}
	if diff := cmp.Diff(want, to.got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if in[2].Lane != "" {
		t.Error("the caller's records were changed")
	}
	if err := (Keyed{Bus: to, Types: types}).Publish(t.Context(), in[0], event.Record{Topic: event.TopicOutbound(event.WeChat), Key: "ch_w|ann"}); err == nil || len(to.got) != 4 {
		t.Errorf("a type that cannot be looked up: %v, %d records", err, len(to.got))
	}
}
