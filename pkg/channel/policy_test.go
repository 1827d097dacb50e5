package channel_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/channel"
)

func TestAPolicyNamesWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string][]string{
		`{}`: nil, `{"reopen":"new","on_unknown":"hold"}`: nil, `{"reopen":"reopen_within_hours","reopen_within_hours":720}`: nil,
		`{"customer_reply_timeout_minutes":1441,"agent_no_answer_minutes":-1}`: {"/customer_reply_timeout_minutes", "/agent_no_answer_minutes"},
		`{"customer_reply_timeout_minutes":1440,"agent_no_answer_minutes":1}`:  nil,
		`{"reopen":"never","on_unknown":"guess"}`:                              {"/reopen", "/on_unknown"},
		`{"reopen":"reopen_within_hours"}`:                                     {"/reopen_within_hours"},
		`{"reopen_within_hours":721}`:                                          {"/reopen_within_hours"},
		`{"routing":{"mode":"dice"}}`:                                          {"/routing/mode"},
		`{"routing":{"mode":"last_agent"}}`:                                    {"/routing/last_agent/enabled"},
		`{"routing":{"mode":"last_agent","last_agent":{"enabled":false}}}`:     {"/routing/last_agent/enabled"},
		`{"routing":{"mode":"last_agent","last_agent":{"enabled":true}}}`:      nil,
		`{"routing":{"last_agent":{"validity_hours":721}}}`:                    {"/routing/last_agent/validity_hours"},
		`{"routing":{"mode":"chatbot"}}`:                                       {"/routing/bot_id"},
		`{"routing":{"mode":"chatbot","access_code":"c"}}`:                     nil,
	} {
		var got []string
		for _, e := range channel.ReadPolicy(json.RawMessage(stored)).Check() {
			got = append(got, e.Pointer)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stored, got, want)
		}
	}
}

func TestAPolicyListsWhatItNames(t *testing.T) {
	t.Parallel()
	stored := `{"queue_id":"q","calendar_id":"c","routing":{"bot_id":"b","access_code":"a","last_agent":{"enabled":true,"fallback_queue_id":"f"}}}`
	want := []channel.Reference{
		{Pointer: "/queue_id", Kind: channel.ToQueue, ID: "q"}, {Pointer: "/calendar_id", Kind: channel.ToCalendar, ID: "c"},
		{Pointer: "/routing/bot_id", Kind: channel.ToBot, ID: "b"}, {Pointer: "/routing/access_code", Kind: channel.ToBotCode, ID: "a"},
		{Pointer: "/routing/last_agent/fallback_queue_id", Kind: channel.ToQueue, ID: "f"},
	}
	if d := cmp.Diff(want, channel.ReadPolicy(json.RawMessage(stored)).References()); d != "" {
		t.Error(d)
	}
	if got := channel.ReadPolicy(json.RawMessage(`{"routing":{"last_agent":{"enabled":true}}}`)).References(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// Policies of earlier and newer versions, and broken ones, are read as far as they can be.
func TestAPolicyIsReadAsFarAsItCanBe(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]channel.Policy{
		``: {}, `null`: {}, `[`: {}, `[]`: {}, `{"queue_id":"q","offline_messages":{"enabled":true}}`: {QueueID: "q"},
		`{"reopen":{"mode":"reopen"},"queue_id":"q"}`: {QueueID: "q"}, `{"customer_reply_timeout_minutes":"soon","on_unknown":"retry"}`: {OnUnknown: "retry"},
	} {
		if d := cmp.Diff(want, channel.ReadPolicy(json.RawMessage(stored))); d != "" {
			t.Errorf("%s: %s", stored, d)
		}
	}
}

func TestWhatANewerVersionStoredStays(t *testing.T) {
	t.Parallel()
	stored := json.RawMessage(`{"queue_id":"old","reopen":"reopen","push":{"enabled":true,"n":12345678901234567890},
		"routing":{"mode":"skill_queue","sticky":1,"last_agent":{"enabled":true,"by":"skill"}},"auto_reply":{"working":{"enabled":true},"holiday":"bye"}}`)
	p := channel.ReadPolicy(stored)
	p.QueueID, p.Reopen, p.AutoReply, p.Routing.Mode = "new", "", nil, "last_agent"
	got, err := p.Over(stored)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"push":{"enabled":true,"n":12345678901234567890},"queue_id":"new",` +
		`"routing":{"last_agent":{"by":"skill","enabled":true},"mode":"last_agent","sticky":1}}`
	if string(got) != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for _, none := range []string{``, `null`, `[`, `7`} {
		if got, err := p.Over(json.RawMessage(none)); err != nil || !json.Valid(got) {
			t.Errorf("over %q: %s %v", none, got, err)
		}
	}
}

func TestWhatNoServiceActsOnIsNamed(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string][]string{
		`{}`: nil, `{"queue_id":"q","reopen":"reopen","on_unknown":"retry"}`: nil,
		`{"calendar_id":"c","queue_id":"q","routing":{"mode":"chatbot"},"auto_reply":{"queue_full":"full"}}`: {"/calendar_id", "/routing", "/auto_reply"},
	} {
		if got := channel.ReadPolicy(json.RawMessage(stored)).NotInEffect(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stored, got, want)
		}
	}
}
