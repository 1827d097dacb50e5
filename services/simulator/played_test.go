package simulator_test

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/services/facebook"
	"github.com/tributaryhq/tributary/services/instagram"
	"github.com/tributaryhq/tributary/services/line"
	"github.com/tributaryhq/tributary/services/rcs"
	"github.com/tributaryhq/tributary/services/sms"
	"github.com/tributaryhq/tributary/services/telegram"
	"github.com/tributaryhq/tributary/services/wechat"
	"github.com/tributaryhq/tributary/services/whatsapp"
	"github.com/tributaryhq/tributary/services/x"
)

// configure writes a channel as service admin does, and tells of it.
func (w *world) configure(id, tenant string, typ event.ChannelType, secrets map[string]string, change func(*directory.Channel)) {
	w.t.Helper()
	sealer, err := auth.NewSealer(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		w.t.Fatal(err)
	}
	fresh := func() *directory.Channel {
		d := &directory.Channel{Type: typ, Enabled: true, Settings: channel.Settings{}, CreatedAt: event.At(time.Now())}
		d.Tenant = tenant
		return d
	}
	doc, err := store.NewCollection[directory.Channel](w.db, directory.Channels).Upsert(w.t.Context(), id, fresh, func(d *directory.Channel) error {
		d.Sealed = map[string][]string{}
		for k, v := range secrets {
			d.Sealed[k] = []string{sealer.Seal(v, tenant, id, k)}
		}
		d.Version++
		change(d)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.dir.Changed(event.Config{Entity: directory.EntityChannel, ID: id, Version: doc.Version, Deleted: doc.Deleted})
}

type playing struct {
	Type       string
	ID         string `json:"id"`
	APIBaseURL string `json:"api_base_url"`
	WebhookURL string `json:"webhook_url"`
}

func (w *world) playing() []playing {
	w.t.Helper()
	var got struct{ Data []playing }
	w.must("GET", "/simulator/accounts", nil, &got)
	return got.Data
}

func with(settings map[string]any) func(*directory.Channel) {
	return func(d *directory.Channel) {
		d.Enabled, d.Deleted = true, false
		for k, v := range settings {
			d.Settings[k] = v
		}
	}
}

// A channel is played as long as it names the simulator as its provider, with the settings and secrets that it has.
func TestChannelsArePlayedThatSaySo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.url + "/simulator/whatsapp"
	secrets := map[string]string{"app_secret": "s", "access_token": "first", "verify_token": "v"}
	if got := w.playing(); len(got) != 0 {
		t.Fatalf("at first %+v are played", got)
	}
	allowed := func(token string) int {
		return w.as(token, "GET", "/simulator/whatsapp/v26.0/123")
	}
	for _, c := range []struct {
		what    string
		typ     event.ChannelType
		secrets map[string]string
		change  func(*directory.Channel)
		want    string // the id of the account; empty: none
	}{
		{"another provider", event.WhatsApp, secrets, with(map[string]any{"phone_number_id": "123", "api_base_url": "https://graph.example"}), ""},
		{"another type's address", event.WhatsApp, secrets, with(map[string]any{"api_base_url": w.url + "/simulator/telegram"}), ""},
		{"ours, switched off", event.WhatsApp, secrets, func(d *directory.Channel) { d.Settings["api_base_url"] = own; d.Enabled = false }, ""},
		{"ours", event.WhatsApp, secrets, with(map[string]any{"api_base_url": own + "/"}), "123"},
		{"switched off meanwhile", event.WhatsApp, secrets, func(d *directory.Channel) { d.Enabled = false }, "123"},
		{"without a secret that it needs", event.WhatsApp, map[string]string{"app_secret": "s"}, with(nil), ""},
		{"with it again", event.WhatsApp, secrets, with(nil), "123"},
		{"another number", event.WhatsApp, secrets, with(map[string]any{"phone_number_id": "456"}), "456"},
		{"the first number", event.WhatsApp, secrets, with(map[string]any{"phone_number_id": "123"}), "123"},
		{"deleted", event.WhatsApp, nil, func(d *directory.Channel) { d.Deleted = true }, ""},
		{"there again", event.WhatsApp, secrets, with(nil), "123"},
	} {
		w.configure("ch_a", "one", c.typ, c.secrets, c.change)
		got := w.playing()
		if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || got[0].ID != c.want || got[0].APIBaseURL != own || got[0].WebhookURL != w.url+"/webhooks/whatsapp/ch_a") {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
	if status := allowed("first"); status != 200 {
		t.Errorf("the channel's token: %d", status)
	}
	secrets["access_token"] = "second"
	w.configure("ch_a", "one", event.WhatsApp, secrets, with(nil))
	if was, is := allowed("first"), allowed("second"); was != 401 || is != 200 {
		t.Errorf("after another token was set, the old one %d, the new one %d", was, is)
	}
	w.configure("ch_b", "two", event.Telegram, map[string]string{"bot_token": "1:a"}, with(map[string]any{"bot_username": "their_bot", "api_base_url": w.url + "/simulator/telegram"}))
	if got := w.playing(); len(got) != 1 {
		t.Errorf("another tenant's: %+v", got)
	}
}

// Channels that were there before the process are played from its first call on.
func TestChannelsThatWereThereArePlayed(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.configure("ch_a", "one", event.Line, map[string]string{"channel_secret": "s", "channel_access_token": "t"},
			with(map[string]any{"destination": "U0123456789abcdef0123456789abcdef", "api_base_url": w.url + "/simulator/line"}))
	})
	if status := w.as("t", "GET", "/simulator/line/v2/bot/message/quota"); status != 200 {
		t.Errorf("the provider's API: %d", status)
	}
	if got := w.playing(); len(got) != 1 || got[0].Type != "line" {
		t.Errorf("played: %+v", got)
	}
}

// Who registers an account has it to themselves: a channel with the same id neither takes nor changes it.
func TestARegisteredAccountIsChangedByNoChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	settings := map[string]any{"phone_number_id": "123", "api_base_url": w.url + "/simulator/whatsapp"}
	secrets := map[string]string{"app_secret": "s", "access_token": "mine", "verify_token": "v"}
	register := func() {
		w.must("POST", "/simulator/accounts", obj{"type": "whatsapp", "settings": settings, "secrets": secrets, "webhook_url": w.gateway.URL}, nil)
	}
	check := func(when string) {
		t.Helper()
		if got := w.playing(); len(got) != 1 || got[0].WebhookURL != w.gateway.URL || w.as("mine", "GET", "/simulator/whatsapp/v26.0/123") != 200 {
			t.Errorf("%s: %+v", when, got)
		}
	}
	register()
	w.configure("ch_a", "one", event.WhatsApp, map[string]string{"app_secret": "s", "access_token": "theirs", "verify_token": "v"}, with(settings))
	check("registered first")
	w.configure("ch_a", "one", event.WhatsApp, nil, func(d *directory.Channel) { d.Deleted = true })
	check("and the channel deleted")
	w.configure("ch_b", "one", event.WhatsApp, map[string]string{"app_secret": "s", "access_token": "t", "verify_token": "v"}, with(map[string]any{"phone_number_id": "77", "api_base_url": settings["api_base_url"]}))
	settings["phone_number_id"] = "77"
	register()
	w.configure("ch_b", "one", event.WhatsApp, nil, func(d *directory.Channel) { d.Deleted = true })
	if got := w.playing(); len(got) != 2 || got[1].ID != "77" || got[1].WebhookURL != w.gateway.URL {
		t.Errorf("registered after the channel was played: %+v", got)
	}
}

// applies reports whether a field is one of a channel with these settings.
func applies(info channel.Info, f channel.Field, s channel.Settings) bool {
	for key, want := range f.When {
		have := s.Text(key)
		for _, other := range info.Settings {
			if have == "" && other.Key == key {
				have = other.Default
			}
		}
		if have != want {
			return false
		}
	}
	return true
}

// A made-up account has all that the form of its channel type needs, and is nobody else's.
func TestMadeUpAccountsFitTheForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type offer struct {
		Type     string
		Settings channel.Settings
		Secrets  map[string]string
	}
	var got, again struct{ Data []offer }
	w.must("GET", "/simulator/types", nil, &got)
	w.must("GET", "/simulator/types", nil, &again)
	forms := map[string]channel.Info{}
	for _, a := range []channel.Adapter{whatsapp.Adapter{}, facebook.Adapter{}, instagram.Adapter{}, telegram.Adapter{}, line.Adapter{}, wechat.Adapter{}, x.Adapter{}, rcs.Adapter{}, sms.Adapter{}} {
		forms[string(a.Info().Type)] = a.Info()
	}
	if len(got.Data) != len(forms) {
		t.Fatalf("offered: %+v", got.Data)
	}
	for n, o := range got.Data {
		info := forms[o.Type]
		for _, account := range info.Account {
			if mine, next := o.Settings.Text(account), again.Data[n].Settings.Text(account); mine == next && (mine != "" || len(info.Account) == 1) {
				t.Errorf("%s: %s is %q, then %q", o.Type, account, mine, next)
			}
		}
		known := map[string]bool{}
		for _, f := range info.Settings {
			if known[f.Key] = true; !applies(info, f, o.Settings) {
				continue
			}
			value := o.Settings.Text(f.Key)
			if f.Secret {
				value = o.Secrets[f.Key]
			}
			if value == "" && !f.Optional && f.Default == "" {
				t.Errorf("%s: %s is missing", o.Type, f.Key)
			}
			if f.Pattern != "" && value != "" && !regexp.MustCompile(f.Pattern).MatchString(value) {
				t.Errorf("%s: %s %q is not %s", o.Type, f.Key, value, f.Pattern)
			}
		}
		for key := range o.Settings {
			if !known[key] {
				t.Errorf("%s has no setting %s", o.Type, key)
			}
		}
		w.configure("ch_"+o.Type, "one", event.ChannelType(o.Type), o.Secrets, with(o.Settings))
	}
	if played := w.playing(); len(played) != len(forms) {
		t.Errorf("played: %+v", played)
	}
}
