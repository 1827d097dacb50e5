package standalone

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
	simulated "github.com/tributaryhq/tributary/services/simulator/rcs"
)

// demonstration is the demo tenant: its credentials are made once and kept in the data directory.
type demonstration struct {
	APIKey   string            `json:"api_key"`
	Email    string            `json:"email"`
	Password string            `json:"password"`
	Secrets  map[string]string `json:"secrets"` // of the demo channels, which the simulator shares
	Channels map[string]string `json:"channels,omitempty"`

	path string
}

func demoFile(cfg *config.Config) string { return filepath.Join(mine(cfg).DataDir, "demo.json") }

// demonstrate reads or makes the demo's credentials, and has them bootstrapped. Whoever configured a bootstrap of their own
// gets the demo channels under that key.
func demonstrate(cfg *config.Config) (*demonstration, error) {
	d := &demonstration{path: demoFile(cfg)}
	text, err := remembered(d.path, func() string {
		_, key, _ := auth.NewAPIKey()
		fresh := demonstration{APIKey: key, Email: "owner@demo.tributary.example", Password: random(9)}
		b, err := json.Marshal(fresh)
		if err != nil {
			panic(err) // texts always marshal
		}
		return string(b)
	})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, fmt.Errorf("%s: %w", d.path, err)
	}
	// Kept before anybody is told: after a kill -9 in between, the next start makes the same channels.
	if d.equip() {
		if err := d.keep(); err != nil {
			return nil, err
		}
	}
	made := config.Of[admin.Bootstrap](cfg)
	made.APIKey = cmp.Or(made.APIKey, d.APIKey)
	if made.AdminEmail == "" {
		made.AdminEmail, made.AdminPassword = d.Email, d.Password
	}
	d.APIKey, d.Email, d.Password = made.APIKey, made.AdminEmail, made.AdminPassword
	own, err := simulators(cfg.HTTPAddr)
	cfg.EgressAllow = append(cfg.EgressAllow, own...)
	return d, err
}

// simulators are the addresses where this process serves the simulator: all of this machine that the demo may call.
func simulators(httpAddr string) ([]string, error) {
	host, port, err := net.SplitHostPort(httpAddr)
	if err != nil {
		return nil, fmt.Errorf("TRIBUTARY_HTTP_ADDR: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if err == nil && !ip.IsUnspecified() {
		return []string{net.JoinHostPort(ip.Unmap().WithZone("").String(), port)}, nil
	}
	return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}, nil
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// The demo's accounts at the simulated providers.
const (
	demoPhoneID = "109876543210987"
	demoWABA    = "100200300400501"
	demoPage    = "104587230019283"
	demoAccount = "17841405309876543"
	demoBot     = "tributary_demo_bot"
	demoLINE    = "U7d1b0c5e9a2f48639bd4c07f15e8a362"

	demoFacebookApp = "730194826501937"
	demoApp         = "wx6d0c1f5a9b3e8274"
	demoOriginal    = "gh_4e7b90c2d1f8"
	demoUser        = "1650000000000000042"
	demoAgent       = "tributary_demo_agent"
	demoTwilio      = "AC5f0e7a1c94b84d2e8a3f6b7c1d2e9f04"
	demoSender      = "+15550100200"
)

// demoChannels are the channels of the demo: one of every type that is built.
var demoChannels = []struct {
	typ      string
	settings func(url string) map[string]any
	secrets  map[string]func() string
}{
	{
		"whatsapp",
		func(url string) map[string]any {
			return map[string]any{"provider": "cloud", "phone_number_id": demoPhoneID, "waba_id": demoWABA, "api_base_url": url + "/simulator/whatsapp"}
		},
		map[string]func() string{"app_secret": hexOf(16), "access_token": hexOf(24), "verify_token": hexOf(12)},
	},
	{
		"instagram",
		func(url string) map[string]any {
			return map[string]any{"account_id": demoAccount, "login": "instagram", "app_id": demoFacebookApp, "api_base_url": url + "/simulator/instagram"}
		},
		map[string]func() string{"app_secret": hexOf(16), "access_token": hexOf(24), "verify_token": hexOf(12)},
	},
	{
		"facebook",
		func(url string) map[string]any {
			return map[string]any{"page_id": demoPage, "app_id": demoFacebookApp, "api_base_url": url + "/simulator/facebook"}
		},
		map[string]func() string{"app_secret": hexOf(16), "page_access_token": hexOf(24), "verify_token": hexOf(12)},
	},
	{
		"telegram",
		func(url string) map[string]any {
			return map[string]any{"bot_username": demoBot, "api_base_url": url + "/simulator/telegram"}
		},
		map[string]func() string{"bot_token": func() string { return "7000001:" + random(17) }, "webhook_secret": hexOf(16)},
	},
	{
		"line",
		func(url string) map[string]any {
			return map[string]any{"destination": demoLINE, "api_base_url": url + "/simulator/line"}
		},
		map[string]func() string{"channel_secret": hexOf(16), "channel_access_token": hexOf(24)},
	},
	{
		"wechat",
		func(url string) map[string]any {
			return map[string]any{"app_id": demoApp, "original_id": demoOriginal, "api_base_url": url + "/simulator/wechat"}
		},
		map[string]func() string{"app_secret": hexOf(16), "token": hexOf(12), "encoding_aes_key": func() string { return random(21) + "A" }},
	},
	{
		"x",
		func(url string) map[string]any {
			return map[string]any{"user_id": demoUser, "api_base_url": url + "/simulator/x"}
		},
		map[string]func() string{"consumer_key": hexOf(12), "consumer_secret": hexOf(25), "access_token": hexOf(25), "access_token_secret": hexOf(22)},
	},
	{
		"rcs",
		func(url string) map[string]any {
			return map[string]any{"provider": "google", "agent_id": demoAgent, "api_base_url": url + "/simulator/rcs-google"}
		},
		map[string]func() string{"client_token": hexOf(20), "service_account": simulated.ServiceAccount},
	},
	{
		"sms",
		func(url string) map[string]any {
			return map[string]any{"provider": "twilio", "account_sid": demoTwilio, "sender": demoSender, "api_base_url": url + "/simulator/twilio"}
		},
		map[string]func() string{"auth_token": hexOf(16)},
	},
	{
		"webchat",
		func(url string) map[string]any { return map[string]any{"allowed_origins": []string{url}} },
		map[string]func() string{"identity_secret": hexOf(32)},
	},
}

func hexOf(bytes int) func() string { return func() string { return random(bytes) } }

// equip makes the secrets that are not there yet: all at the first start, those of a new type after an upgrade.
func (d *demonstration) equip() (made bool) {
	if d.Secrets == nil {
		d.Secrets = map[string]string{}
	}
	for _, ch := range demoChannels {
		for key, fresh := range ch.secrets {
			if name := ch.typ + "." + key; d.Secrets[name] == "" {
				d.Secrets[name], made = fresh(), true
			}
		}
	}
	return made
}

// keep writes what is known of the demo into its file.
func (d *demonstration) keep() error {
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return replaceFile(d.path, string(b)+"\n")
}

// prepare makes the demo channels. The simulator plays their providers because they name it. Made again at every start, they are the same.
func (d *demonstration) prepare(ctx context.Context, url string) error {
	c := &client{url: url, key: d.APIKey}
	d.Channels = map[string]string{}
	for _, ch := range demoChannels {
		settings, secrets := ch.settings(url), map[string]string{}
		for k := range ch.secrets {
			secrets[k] = d.Secrets[ch.typ+"."+k]
		}
		var made struct {
			ID string `json:"id"`
		}
		err := c.call(ctx, "POST", "/v1/channels", "demo-"+ch.typ, map[string]any{"type": ch.typ, "name": "Demo " + ch.typ, "settings": settings, "secrets": secrets}, &made)
		if err != nil {
			return fmt.Errorf("demo channel %s: %w", ch.typ, err)
		}
		d.Channels[ch.typ] = made.ID
	}
	return d.keep()
}

// print tells where everything is. Nothing of it is longer than a line of a terminal but the commands, whose ends are unbroken
// for copying.
func (d *demonstration) print(out io.Writer, url string, cfg *config.Config, took time.Duration) error {
	hook, signature, err := d.webhook(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `
  Tributary is ready on %[1]s (%[2]d ms)

  Console     %[1]s
  Sign in     %[3]s   password %[4]s
  API key     %[5]s
  Reference   %[1]s/docs
  Health      http://%[6]s/readyz   metrics http://%[6]s/metrics

  A page with the web chat:
    %[1]s/chat/%[7]s/demo

  A signed WhatsApp webhook:
    curl -si %[1]s/webhooks/whatsapp/%[8]s \
      -H 'X-Hub-Signature-256: sha256=%[9]s' \
      --data-binary %[10]s

  The same through the simulator, which also takes the answers and sends receipts:
    %[11]s simulate whatsapp --from +4915112345678 --text "hello"%[12]s

  What became of it:
    curl -s %[1]s/v1/conversations -H 'Authorization: Bearer %[5]s'

`, url, took.Milliseconds(), d.Email, d.Password, d.APIKey, browsable(cfg.AdminAddr), d.Channels["webchat"], d.Channels["whatsapp"],
		signature, quoted("@"+hook), program(), finding(cfg, url))
	return err
}

// webhook writes the body of a WhatsApp webhook into the data directory and returns its path and its signature.
func (d *demonstration) webhook(cfg *config.Config) (path, signature string, err error) {
	now := time.Now()
	body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"%s","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550102233","phone_number_id":"%s"},`+
		`"contacts":[{"profile":{"name":"Ana"},"wa_id":"4915112345678"}],`+
		`"messages":[{"from":"4915112345678","id":"wamid.demo.%d","timestamp":"%d","type":"text","text":{"body":"Hello, is anybody there?"}}]}}]}]}`,
		demoWABA, demoPhoneID, now.UnixNano(), now.Unix())
	mac := hmac.New(sha256.New, []byte(d.Secrets["whatsapp.app_secret"]))
	mac.Write([]byte(body))
	path = filepath.Join(mine(cfg).DataDir, "demo-webhook.json")
	return path, hex.EncodeToString(mac.Sum(nil)), replaceFile(path, body)
}

// browsable is a listening address as a client on this machine calls it.
func browsable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr
}

// finding are the flags with which a further command finds this process: none where its defaults do.
func finding(cfg *config.Config, url string) (flags string) {
	usual, err := Program().Load(nil, nil)
	if err != nil || mine(usual).DataDir != mine(cfg).DataDir {
		flags += " --data-dir " + quoted(mine(cfg).DataDir)
	}
	if err != nil || run.PublicURL(usual) != url {
		flags += " --url " + quoted(url)
	}
	return flags
}

// quoted is a word as shells take it.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// program is how this binary was called.
func program() string {
	if len(os.Args) > 0 && os.Args[0] != "" {
		return os.Args[0]
	}
	return "tributary"
}

// client calls the public API of a running process.
type client struct{ url, key string }

func (c *client) call(ctx context.Context, method, path, idempotencyKey string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.url, "/")+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}
