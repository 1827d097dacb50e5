package media

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

// mending is a rig whose provider refuses every call until the channel is changed.
type mending struct {
	*rig
	channels *gatewaytest.Channels
	changed  func(event.Config)
	calls    atomic.Int64
	mended   atomic.Bool
}

func newMending(t *testing.T, status int, timing Timing) *mending {
	t.Helper()
	m := &mending{}
	m.rig = newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		m.calls.Add(1)
		if !m.mended.Load() {
			w.WriteHeader(status)
			return
		}
		_, _ = io.WriteString(w, png)
	}, func(d *Deps) {
		d.Watch = func(f func(event.Config)) { m.changed = f }
		d.Timing = timing
		m.channels = d.Channels.(*gatewaytest.Channels)
	})
	return m
}

// mend changes the channel, as an operator does who gives it another token.
func (m *mending) mend() {
	m.mended.Store(true)
	ch := m.ch
	ch.Version++
	m.channels.Put(ch)
	m.changed(event.Config{Entity: "channel", ID: ch.ID, Version: ch.Version})
}

func (m *mending) waiting(t *testing.T) *File {
	t.Helper()
	f, err := m.files.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestP13_WhatAnOperatorCanMendWaitsForIt(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]string{401: channel.CodeCredentials, 403: channel.CodePermission} {
		// Tries follow each other quickly: more of them than any count would allow.
		m := newMending(t, status, Timing{Backoff: time.Millisecond, MaxBackoff: time.Millisecond, Poll: time.Millisecond})
		m.take(t, wanted("a", event.Attachment{URL: m.server.URL + "/f"}))
		storetest.Eventually(t, "the file is tried many times", func() bool { return m.calls.Load() >= 12 })
		if f := m.waiting(t); f.Done || f.Error == nil || f.Error.Code != code {
			t.Errorf("%d: %+v %+v", status, f, f.Error)
		}
		m.mend()
		if got := m.word(t, "a"); got.State != event.Ready {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestAChangeOfTheChannelWakesItsFiles(t *testing.T) {
	t.Parallel()
	// A claim lasts for a fetch and a pause: together less than due.Longest, beyond which it would be due at once.
	m := newMending(t, 401, Timing{Backoff: time.Hour / 2, Poll: time.Hour})
	for _, id := range []string{"a", "b", "c"} {
		m.take(t, wanted(id, event.Attachment{URL: m.server.URL + "/" + id}))
	}
	m.changed(event.Config{Entity: "channel", ID: "another"})
	m.changed(event.Config{Entity: "user", ID: "ch_a"})
	if n := m.calls.Load(); n != 3 {
		t.Fatalf("%d calls", n)
	}
	m.mend()
	for _, id := range []string{"a", "b", "c"} {
		if got := m.word(t, id); got.State != event.Ready {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

// A channel may be mended while the try that is refused is under way: its change was noted before the file waits.
func TestAFileIsNotHeldByARefusalOfTheChannelBefore(t *testing.T) {
	t.Parallel()
	m := newMending(t, 401, Timing{Backoff: 10 * time.Millisecond, MaxBackoff: time.Hour, Poll: time.Millisecond})
	f := m.file("acme", event.WantedMedia{ChannelID: "ch_a", Peer: "ann", Ref: "m1", Attachment: event.Attachment{ID: "a", URL: m.server.URL + "/f"}})
	f.Tries = 20 // the next pause would be an hour
	if err := m.files.Insert(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	_, refusal := m.fetch(t.Context(), f)
	if refusal == nil {
		t.Fatal("the file was not refused")
	}
	m.mend()
	if err := m.settle(t.Context(), f, event.Attachment{}, refusal); err != nil {
		t.Fatal(err)
	}
	if got := m.word(t, "a"); got.State != event.Ready {
		t.Errorf("%+v", got)
	}
}

func TestARefusalEndsWithTheProvidersOwnExpiry(t *testing.T) {
	t.Parallel()
	m := newMending(t, 401, Timing{Backoff: time.Millisecond, MaxBackoff: time.Millisecond, Poll: time.Millisecond})
	m.take(t, soon("a", event.Attachment{URL: m.server.URL + "/f"}))
	if got := m.word(t, "a"); got.State != event.Lost || got.Error == nil || got.Error.Code != channel.CodeCredentials {
		t.Errorf("%+v %+v", got, got.Error)
	}
}

// soon is a wanted file that its provider keeps no longer than 100 ms.
func soon(id string, a event.Attachment) bus.Message {
	m := wanted(id, a)
	w, _ := event.Decode[event.WantedMedia](m.Event)
	w.ExpiresAt = event.At(time.Now().Add(100 * time.Millisecond))
	m.Event = event.New("evt_"+id, event.MediaWanted, "telegram", "acme", id, event.At(time.Now()), w)
	return m
}

func TestAFileOfAnotherDigestIsKeptWithAWarning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bodies  []string // of the calls, in order; the last one for all further calls
		sha     string
		soon    bool
		backoff time.Duration
		calls   int64 // 0: as many as fit into the time that the provider keeps the file
		warned  bool
	}{
		"always another":             {[]string{"other"}, strings.Repeat("00", 32), false, time.Millisecond, 3, true},
		"cut off once":               {[]string{"o", png}, sumOf(png), false, time.Millisecond, 2, false},
		"a text that is no digest":   {[]string{png}, "x", false, time.Millisecond, 1, false},
		"of earlier versions":        {[]string{png}, strings.Repeat("d3", 48), false, time.Millisecond, 1, false},
		"another until its last try": {[]string{"other"}, strings.Repeat("00", 32), true, 150 * time.Millisecond, 0, true},
	} {
		var calls atomic.Int64
		r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
			n := int(calls.Add(1))
			_, _ = io.WriteString(w, c.bodies[min(n, len(c.bodies))-1])
		}, func(d *Deps) { d.Timing = Timing{Backoff: c.backoff, MaxBackoff: c.backoff, Poll: time.Millisecond} })
		make := wanted
		if c.soon {
			make = soon
		}
		r.take(t, make("a", event.Attachment{URL: r.server.URL + "/f", SHA256: c.sha}))
		got := r.word(t, "a")
		if got.State != event.Ready || got.SHA256 != sumOf(c.bodies[len(c.bodies)-1]) || c.calls > 0 && calls.Load() != c.calls {
			t.Errorf("%s: %+v after %d calls", name, got, calls.Load())
		}
		if warned := got.Warning != nil && got.Warning.Code == "media_digest_mismatch" && !got.Warning.Retryable; warned != c.warned {
			t.Errorf("%s: warning %+v", name, got.Warning)
		}
	}
}

// The time that the provider keeps a file can run out while it is being fetched: what came is not let go.
func TestBytesOfAnotherDigestAreKeptWhenTheTimeRunsOutMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "other") })
	a := event.Attachment{ID: "a", URL: r.server.URL + "/f", SHA256: strings.Repeat("00", 32)}
	f := r.file("acme", event.WantedMedia{ChannelID: "ch_a", Peer: "ann", Ref: "m1", Attachment: a, ExpiresAt: event.At(time.Now().Add(time.Hour))})
	got, fe := r.fetch(t.Context(), f)
	if _, ok := r.last(f, got, fe); fe == nil || fe.Code != "media_digest_mismatch" || ok {
		t.Fatalf("%v, the last try: %v", fe, ok)
	}
	f.Wanted.ExpiresAt = event.At(time.Now().Add(-time.Second))
	if end, ok := r.last(f, got, fe); !ok || end.State != event.Ready || end.SHA256 != sumOf("other") || end.Warning == nil {
		t.Errorf("%+v %v", end, ok)
	}
}

// A file that an earlier version left waiting has no fields that came later.
func TestWaitingFilesOfEarlierVersionsAreFetched(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, png) })
	old := `{"_id":"a","tenant":"acme","wanted":{"channel_id":"ch_a","peer":"ann","ref":"m1","index":0,"attachment":{"id":"a","type":"image","url":"` +
		r.server.URL + `/f"},"expires_at":"2100-01-01T00:00:00.000Z"},"host":"x","next_at":"2020-01-01T00:00:00.000Z","tries":7,` +
		`"error":{"kind":"denied","code":"credentials_rejected","retryable":false}}`
	if errs := r.DB.Batch(t.Context(), []store.Op{{Kind: store.Insert, Collection: Spec(event.Telegram).Name, ID: "a", JSON: []byte(old)}}); errs[0] != nil {
		t.Fatal(errs)
	}
	if got := r.word(t, "a"); got.State != event.Ready {
		t.Errorf("%+v", got)
	}
	if !slices.ContainsFunc(Spec(event.Telegram).Indexes, func(i store.Index) bool { return i.Name == "due" }) {
		t.Error("the index by which earlier versions find due files is gone")
	}
}
