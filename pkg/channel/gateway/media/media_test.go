package media

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	pngenc "image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
)

const png = "\x89PNG\r\n\x1a\n0123456789"

// fetching is a toy whose media lies behind a look-up.
type fetching struct{ gatewaytest.Toy }

func (fetching) MediaRequest(ch channel.Channel, a event.Attachment, prev *channel.Response) (channel.Request, bool, error) {
	base := ch.Settings.Text("api_base_url")
	switch {
	case prev == nil:
		return channel.Request{Method: "GET", URL: base + "/lookup/" + a.MediaRef, Tag: "lookup"}, false, nil
	case prev.Status == 404:
		return channel.Request{}, false, fault.New(fault.Gone, channel.CodeMediaGone, "gone")
	case prev.Tag == "lookup":
		return channel.Request{Method: "GET", URL: base + string(prev.Body), Tag: "file"}, false, nil
	}
	return channel.Request{}, true, nil
}

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

type rig struct {
	*Worker
	said   *storetest.Publisher
	server *httptest.Server
	ch     channel.Keyed
}

func newRig(t *testing.T, handler http.HandlerFunc, change ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{said: &storetest.Publisher{}, server: httptest.NewServer(handler)}
	t.Cleanup(r.server.Close)
	r.ch = gatewaytest.Channel(event.Telegram, "ch_a", "acme", r.server.URL)
	toy := fetching{gatewaytest.Toy{Kind: event.Telegram}}
	db := storetest.New(t, Spec(event.Telegram))
	client, blobs := gatewaytest.Egress(t), gatewaytest.Blobs(t)
	d := Deps{
		Adapter: channel.Guard(toy), Source: "telegram", Channels: gatewaytest.NewChannels(r.ch), Bus: r.said, DB: db, Facts: store.NewApplier(db, r.said, nil), Blobs: blobs, Egress: client,
		Caller: &provider.Caller{Adapter: channel.Guard(toy), Transports: map[string]provider.Transport{"http": &provider.HTTP{Client: client, Blobs: blobs}}, Now: time.Now},
		Now:    time.Now, Log: slog.New(slog.DiscardHandler),
		Timing: Timing{Backoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, Fetch: 2 * time.Second, Poll: 5 * time.Millisecond},
	}
	for _, c := range change {
		c(&d)
	}
	r.Worker = New(d)
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = d.Facts.Run(ctx) })
	loops.Go(func() { _ = r.Run(ctx) })
	t.Cleanup(func() { cancel(); loops.Wait() })
	return r
}

func wanted(id string, a event.Attachment) bus.Message {
	a.ID = id
	w := event.WantedMedia{ChannelID: "ch_a", Peer: "ann", Ref: "m1", Attachment: a, ExpiresAt: event.At(time.Now().Add(time.Hour))}
	return bus.Message{Key: id, Event: event.New("evt_"+id, event.MediaWanted, "telegram", "acme", id, event.At(time.Now()), w)}
}

// word waits for what is said about an attachment.
func (r *rig) word(t *testing.T, id string) event.Attachment {
	t.Helper()
	var got *event.Attached
	storetest.Eventually(t, "a word about "+id, func() bool {
		for _, e := range r.said.Topic(event.TopicInbound) {
			if a, err := event.Decode[event.Attached](e); err == nil && a.Attachment.ID == id {
				got = &a
			}
		}
		return got != nil
	})
	if got.Ref != "m1" || got.Peer != "ann" || got.ChannelID != "ch_a" || got.ChannelType != event.Telegram {
		t.Errorf("%+v", got)
	}
	return got.Attachment
}

func (r *rig) take(t *testing.T, m bus.Message) {
	t.Helper()
	if err := r.handle(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreFetched(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte(png))
	auths := make(chan string, 10)
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		auths <- req.Header.Get("Authorization")
		switch req.URL.Path {
		case "/lookup/ref-1":
			_, _ = io.WriteString(w, "/files/1")
		case "/files/1":
			_, _ = io.WriteString(w, png)
		default:
			http.NotFound(w, req)
		}
	})
	for name, a := range map[string]event.Attachment{
		"looked up":       {Type: event.Image, MediaRef: "ref-1", MIME: "text/html"},
		"announced":       {Type: event.Image, MediaRef: "ref-1", SHA256: strings.ToUpper(hex.EncodeToString(sum[:]))},
		"announced in 64": {Type: event.Image, MediaRef: "ref-1", SHA256: base64.StdEncoding.EncodeToString(sum[:])},
		"plain":           {Type: event.Image, URL: r.server.URL + "/files/1"},
	} {
		r.take(t, wanted(name, a))
		got := r.word(t, name)
		if got.State != event.Ready || got.MIME != "image/png" || got.Size != int64(len(png)) || got.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %+v", name, got)
		}
		f, _, err := r.Blobs.Open(t.Context(), "acme", got.Blob)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(f)
		_ = f.Close()
		if string(b) != png {
			t.Errorf("%s: kept %q", name, b)
		}
	}
	close(auths)
	for a := range auths {
		if a != "Bearer "+gatewaytest.APIToken+"ch_a" {
			t.Errorf("authorization %q", a)
		}
	}
}

func TestWhatAFetchedFileIs(t *testing.T) {
	t.Parallel()
	isom := "\x00\x00\x00\x1cftypisom\x00\x00\x02\x00isomiso2mp41\x00\x00\x00\x08free"
	bodies := map[string]string{"isom": isom, "html": "<!doctype html><p>Not found</p>", "png": png, "csv": "a,b\n1,2\n"}
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) { _, _ = io.WriteString(w, bodies[req.URL.Path[1:]]) })
	for name, c := range map[string]struct {
		body     string
		a        event.Attachment
		kind     event.MessageType
		mimeType string
	}{
		"audio in a container": {"isom", event.Attachment{Type: event.Audio, MIME: "audio/mp4"}, event.Audio, "audio/mp4"},
		"video in a container": {"isom", event.Attachment{Type: event.Video, MIME: "video/mp4"}, event.Video, "video/mp4"},
		"no image at all":      {"html", event.Attachment{Type: event.Image, MIME: "image/jpeg"}, event.Document, "text/html; charset=utf-8"},
		"another image":        {"png", event.Attachment{Type: event.Image, MIME: "image/jpeg"}, event.Image, "image/png"},
		"an image as document": {"png", event.Attachment{Type: event.Document, MIME: "image/png"}, event.Document, "image/png"},
		"a sticker":            {"png", event.Attachment{Type: event.Sticker}, event.Sticker, "image/png"},
		"a table":              {"csv", event.Attachment{Type: event.Document, MIME: "text/csv"}, event.Document, "text/csv"},
	} {
		c.a.URL = r.server.URL + "/" + c.body
		r.take(t, wanted(name, c.a))
		if got := r.word(t, name); got.Type != c.kind || got.MIME != c.mimeType || got.State != event.Ready {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAFetchedPictureHasASizeAndAPreview(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = pngenc.Encode(w, image.NewGray(image.Rect(0, 0, 480, 320)))
	})
	r.take(t, wanted("a", event.Attachment{Type: event.Image, URL: r.server.URL + "/f"}))
	got := r.word(t, "a")
	content, is, err := r.Blobs.Open(t.Context(), "acme", got.Preview)
	if err != nil {
		t.Fatal(err)
	}
	_ = content.Close()
	if got.Width != 480 || got.Height != 320 || is.MIME != "image/jpeg" {
		t.Errorf("%+v, a preview of %s", got, is.MIME)
	}
}

func TestWhatCannotBeFetchedIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/big":
			_, _ = io.WriteString(w, strings.Repeat("x", 2<<20))
		case "/refused":
			w.WriteHeader(451)
		default:
			http.NotFound(w, req)
		}
	})
	elsewhere := wanted("channel", event.Attachment{URL: "https://x.example"})
	elsewhere.Event.Tenant = "other"
	for code, m := range map[string]bus.Message{
		channel.CodeMediaGone:     wanted("gone", event.Attachment{URL: r.server.URL + "/none"}),
		channel.CodeMediaRejected: wanted("refused", event.Attachment{URL: r.server.URL + "/refused"}),
		"too_large":               wanted("big", event.Attachment{URL: r.server.URL + "/big"}),
		"egress_denied":           wanted("inside", event.Attachment{URL: "http://169.254.169.254/latest/meta-data"}),
		"no_transport":            wanted("scheme", event.Attachment{URL: "file:///etc/passwd"}),
		"channel_gone":            elsewhere,
	} {
		r.take(t, m)
		if got := r.word(t, m.Key); got.State != event.Lost || got.Error == nil || got.Error.Code != code {
			t.Errorf("%s: %+v %+v", m.Key, got, got.Error)
		}
	}
	if err := r.handle(t.Context(), bus.Message{Event: event.Event{Data: []byte(`[]`)}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("poison: %v", err)
	}
}

// TestAFileMayBeAsLargeAsItsChannelSays: not as its type does.
func TestAFileMayBeAsLargeAsItsChannelSays(t *testing.T) {
	t.Parallel()
	toy := fetching{gatewaytest.Toy{Kind: event.Telegram, Edit: func(i *channel.Info) {
		i.Variants = []channel.Variant{{When: map[string]string{"server": "local"}, MaxMedia: 3 << 20, RuleSet: i.RuleSet}}
	}}}
	channels := gatewaytest.NewChannels()
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		n, _ := strconv.Atoi(req.URL.Path[1:])
		_, _ = w.Write(make([]byte, n))
	}, func(d *Deps) { d.Adapter, d.Channels = channel.Guard(toy), channels })
	for name, c := range map[string]struct {
		server string
		size   int
		ready  bool
	}{
		"as the type says": {"", 1 << 20, true}, "more than the type says": {"cloud", 1<<20 + 1, false},
		"as the variant says": {"local", 3 << 20, true}, "more than the variant says": {"local", 3<<20 + 1, false},
	} {
		ch := gatewaytest.Channel(event.Telegram, "ch_a", "acme", r.server.URL)
		ch.Settings["server"] = c.server
		channels.Put(ch)
		r.take(t, wanted(name, event.Attachment{URL: fmt.Sprintf("%s/%d", r.server.URL, c.size)}))
		if got := r.word(t, name); (got.State == event.Ready) != c.ready || !c.ready && got.Error.Code != "too_large" {
			t.Errorf("%s: %+v %+v", name, got, got.Error)
		}
	}
}

func TestP13_AFileIsTriedUntilItComes(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 4 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, png)
	})
	r.take(t, wanted("a", event.Attachment{URL: r.server.URL + "/f"}))
	if got := r.word(t, "a"); got.State != event.Ready || calls.Load() != 4 {
		t.Errorf("%+v after %d calls", got, calls.Load())
	}
	r.take(t, wanted("a", event.Attachment{URL: r.server.URL + "/f"})) // the record comes again: said again, under the same id
	if events := r.said.Topic(event.TopicInbound); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
}

func TestP12_ADeadHostDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	r := newRig(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/dead") {
			<-hang
		}
		_, _ = io.WriteString(w, png)
	}, func(d *Deps) { d.Timing.Fetch = time.Hour }) // the dead host keeps its places, however long the others take
	t.Cleanup(func() { close(hang) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var lanes sync.WaitGroup
	for n := range 3 * perHost {
		lanes.Go(func() {
			_ = r.handle(ctx, wanted(fmt.Sprint("dead", n), event.Attachment{URL: r.server.URL + "/dead"}))
		})
	}
	full := func() bool {
		r.hosts.mu.Lock()
		defer r.hosts.mu.Unlock()
		return r.hosts.of[r.server.Listener.Addr().String()] == perHost
	}
	storetest.Eventually(t, "the dead host has all its places", full)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, png) }))
	defer other.Close()
	for n := range 20 {
		r.take(t, wanted(fmt.Sprint("well", n), event.Attachment{URL: other.URL + "/f"}))
	}
	if !full() {
		t.Error("files of another host were taken only after the dead host had given places back")
	}
	storetest.Eventually(t, "the others of the dead host wait in the store", func() bool {
		n, err := r.files.Count(t.Context(), store.Query{Range: &store.Range{Field: "next_at"}}, 100)
		return err == nil && n == 2*perHost
	})
	cancel()
	lanes.Wait()
}

func TestReplicasDoNotFetchTwiceAtOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = io.WriteString(w, png)
	})
	var all sync.WaitGroup
	begin := make(chan struct{})
	f := r.file("acme", event.WantedMedia{ChannelID: "ch_a", Peer: "ann", Ref: "m1", Attachment: event.Attachment{ID: "a", URL: r.server.URL + "/f"}})
	if err := r.wait(t.Context(), f, nil, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		doc, err := r.files.Get(t.Context(), "a") // all see it due, as replicas do
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			<-begin
			if err := r.again(t.Context(), doc); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
	if diff := cmp.Diff(event.Ready, r.word(t, "a").State); diff != "" {
		t.Error(diff)
	}
}
