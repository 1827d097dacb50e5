package stream_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/stream"
	"github.com/tributaryhq/tributary/pkg/event"
)

func TestMessagesAreFoundOnTheStream(t *testing.T) {
	t.Parallel()
	id := event.DeriveID("msg", "t1", "ch_1", "wamid.1")
	next := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		say := func(typ, data string) {
			_, _ = fmt.Fprintf(w, "id: 1:1\nevent: %s\ndata: %s\n\n", typ, data)
			_ = http.NewResponseController(w).Flush()
		}
		say("ready", "{}")
		say("conversation.opened", `{"message_id":"`+id+`","direction":"inbound"}`)
		say("message.created", `{"message_id":"`+event.DeriveID("msg", "t1", "x")+`","direction":"outbound"}`)
		for range 2 {
			say("message.created", `{"conversation_id":"cnv_1","message_id":"`+id+`","direction":"inbound"}`)
		}
		<-next
		say("resync", "{}")
	}))
	t.Cleanup(s.Close)
	if _, err := stream.Open(context.Background(), s.URL, "wrong"); err == nil {
		t.Error("opened with a wrong key")
	}
	st, err := stream.Open(context.Background(), s.URL, "key")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	eventually(t, func() bool { n, again := st.Seen(); return n == 1 && again == 1 })
	if at, ok := st.When(stream.MarkFor("t1", "ch_1", "wamid.1")); !ok || time.Since(at) > time.Minute {
		t.Errorf("seen at %s, %t", at, ok)
	}
	if _, ok := st.When(stream.MarkFor("t1", "ch_1", "wamid.2")); ok || st.Err() != nil {
		t.Errorf("a message that never was is seen, or %v", st.Err())
	}
	close(next)
	eventually(t, func() bool { return st.Err() != nil })
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("did not happen")
		}
	}
}
