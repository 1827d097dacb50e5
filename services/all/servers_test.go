package all_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/gatewaytest"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/media"
	"github.com/tributaryhq/tributary/pkg/channel/gateway/provider"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/storetest"
	"github.com/tributaryhq/tributary/services/telegram"
)

// A bot at Telegram's server has Telegram's limits of files, one at a server in local mode has that server's.
func TestChannelsShowTheLimitsOfTheirServer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.tenant("acme")
	bots := 0
	create := func(settings map[string]any) answer {
		bots++
		settings["bot_username"] = fmt.Sprintf("limits_bot_%d", bots)
		b, err := json.Marshal(map[string]any{"type": "telegram", "name": "Bot", "settings": settings,
			"secrets": map[string]string{"bot_token": "7700112233:AAsample-Token_of_a_bot", "webhook_secret": "tg_9Qe-71_hookSecret"}})
		h.ok(err)
		return h.call(key, http.MethodPost, "/v1/channels", strings.NewReader(string(b)))
	}
	if a := create(map[string]any{"server": "local"}); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "/settings/api_base_url") {
		t.Errorf("local, but where? %d %s", a.status, a.body)
	}
	for name, c := range map[string]struct {
		settings       map[string]any
		fetched, video int64 // MiB
	}{
		"Telegram's server":      {map[string]any{}, 20, 50},
		"said to be Telegram's":  {map[string]any{"server": "cloud"}, 20, 50},
		"a server of one's own":  {map[string]any{"api_base_url": "https://bots.example.com"}, 100, 50},
		"a server in local mode": {map[string]any{"server": "local", "api_base_url": "https://bots.example.com"}, 2000, 2000},
	} {
		var made, got struct {
			ID    string        `json:"id"`
			Rules channel.Rules `json:"rules"`
		}
		a := create(c.settings)
		if a.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		h.ok(json.Unmarshal([]byte(a.body), &made))
		h.ok(json.Unmarshal([]byte(h.call(key, http.MethodGet, "/v1/channels/"+made.ID, nil).body), &got))
		for call, rules := range map[string]channel.Rules{"POST": made.Rules, "GET": got.Rules} {
			video, photo := rules.Send.Media[event.Video].MaxBytes, rules.Send.Media[event.Image].MaxBytes
			if rules.MaxMedia != c.fetched<<20 || video != c.video<<20 || photo != 10<<20 {
				t.Errorf("%s %s: fetches %d bytes, sends videos of %d and photos of %d", call, name, rules.MaxMedia, video, photo)
			}
		}
	}
}

// botServer is a Bot API server with one file of 25 MB, and the web server before it. In local mode it gives files of more than 20 MB.
func botServer(t *testing.T, local bool) *httptest.Server {
	const token = "7700112233:AAsample-Token_of_a_bot"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/bot"+token+"/getFile" && local:
			_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"file_id":"x","file_size":26214400,"file_path":"/var/lib/telegram-bot-api/%s/videos/file_0.mp4"}}`, token)
		case r.URL.Path == "/bot"+token+"/getFile":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}`)
		case r.URL.Path == "/file/bot"+token+"/videos/file_0.mp4":
			_, _ = w.Write(make([]byte, 25<<20))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// A file of 25 MB comes from a server in local mode; another gives a reason, which is the attachment's.
func TestAFileOf25MBComesFromALocalServerOnly(t *testing.T) {
	t.Parallel()
	adapter, client, blobs := channel.Guard(telegram.Adapter{}), gatewaytest.Egress(t), gatewaytest.Blobs(t)
	for name, c := range map[string]struct {
		settings channel.Settings
		local    bool
		size     int64 // announced
		says     string
	}{
		"local":                     {channel.Settings{"server": "local"}, true, 25 << 20, ""},
		"local, size not announced": {channel.Settings{"server": "local"}, true, 0, ""},
		"not local":                 {channel.Settings{}, false, 25 << 20, "start it with --local"},
		"local, but not said to be": {channel.Settings{}, true, 25 << 20, "set the channel's server to local"},
		"Telegram's":                {nil, false, 25 << 20, "Telegram gives bots files up to 20 MB"},
	} {
		ch := channel.Keyed{Channel: channel.Channel{ID: "ch_a", Tenant: "acme", Type: event.Telegram, Enabled: true, Version: 1, Settings: c.settings},
			Secrets: channel.Secrets{"bot_token": {"7700112233:AAsample-Token_of_a_bot"}}}
		if c.settings != nil {
			c.settings["api_base_url"] = botServer(t, c.local).URL
		}
		said, db := &storetest.Publisher{}, storetest.New(t, media.Spec(event.Telegram))
		w := media.New(media.Deps{
			Adapter: adapter, Source: "telegram", Channels: gatewaytest.NewChannels(ch), Bus: said, DB: db, Facts: store.NewApplier(db, said, nil), Blobs: blobs,
			Egress: client, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Caller: &provider.Caller{Adapter: adapter, Transports: map[string]provider.Transport{"http": &provider.HTTP{Client: client, Blobs: blobs}}, Now: time.Now},
		})
		want := event.WantedMedia{ChannelID: "ch_a", Peer: "1", Ref: "1:2", Attachment: event.Attachment{ID: "att_1", Type: event.Video, MediaRef: "BAAC", Size: c.size}}
		err := w.Subscription().Handle(t.Context(), bus.Message{Event: event.New("evt_1", event.MediaWanted, "telegram", "acme", "att_1", event.At(time.Now()), want)})
		if err != nil {
			t.Fatal(err)
		}
		told := said.Topic(event.TopicInbound)
		if len(told) != 1 {
			t.Fatalf("%s: %d words about the file", name, len(told))
		}
		got, err := event.Decode[event.Attached](told[0])
		if err != nil {
			t.Fatal(err)
		}
		switch a := got.Attachment; {
		case c.says == "" && (a.State != event.Ready || a.Size != 25<<20):
			t.Errorf("%s: %+v %+v", name, a, a.Error)
		case c.says != "" && (a.State != event.Lost || a.Error == nil || !strings.Contains(fmt.Sprint(*a.Error), c.says)):
			t.Errorf("%s: %+v %+v", name, a, a.Error)
		}
	}
}
