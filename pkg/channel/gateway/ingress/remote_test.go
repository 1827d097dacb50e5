package ingress

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/event"
)

// What a provider lets nobody keep is wanted from nobody; who serves files hears where it is, and until when at most.
func TestWhatNobodyMayKeepIsNotFetched(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	story := message("m1", "")
	story.Content.Attachments = []event.Attachment{
		{Type: event.Story, URL: "https://cdn.example/story", State: event.Remote}, {Type: event.Story, State: event.Remote},
	}
	if w := r.post("/webhooks/telegram/ch_a", r.ch, body(t, events(story))); w.Code != 200 {
		t.Fatal(w.Code)
	}
	recs := r.bus.Records()
	if len(recs) != 3 {
		t.Fatalf("%v", types(recs))
	}
	in, err := event.Decode[event.Inbound](recs[1].Event)
	if err != nil {
		t.Fatal(err)
	}
	said, err := event.Decode[event.Attached](recs[2].Event)
	a := said.Attachment
	if err != nil || recs[2].Event.Type != event.AttachmentReady || a.State != event.Remote || a.URL != "https://cdn.example/story" || a.Blob != "" ||
		!a.Until.Equal(in.ReceivedAt.Add(24*time.Hour).Time) {
		t.Errorf("%+v %v", said, err)
	}
	if as := in.Content.Attachments; as[0].ID != a.ID || as[0].State != event.Remote || as[1].State != event.Lost || as[1].Error == nil {
		t.Errorf("%+v", as)
	}
}
