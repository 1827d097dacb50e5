package standalone

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// arguments are what commands need besides flags.
var arguments = map[string][]string{"store": {"ensure"}, "keys": {"generate"}, "topics": {"ensure"}, "simulate": {"whatsapp"}, "ping": {"http://localhost:1/"}}

func TestEveryCommandReadsTheSameConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tributary.yaml")
	if err := os.WriteFile(file, []byte("log_level: loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if c.name == "version" {
			continue
		}
		args := arguments[c.name]
		for name, try := range map[string]struct {
			environ, args []string
			want          string
		}{
			"unknown key":        {[]string{"TRIBUTARY_NO_SUCH_KEY=1"}, args, "TRIBUTARY_NO_SUCH_KEY"},
			"flag":               {nil, append(args[:len(args):len(args)], "--log-level", "loud"), "TRIBUTARY_LOG_LEVEL"},
			"environment":        {[]string{"TRIBUTARY_LOG_LEVEL=loud"}, args, "TRIBUTARY_LOG_LEVEL"},
			"file by flag":       {nil, append(args[:len(args):len(args)], "--config", file), "TRIBUTARY_LOG_LEVEL"},
			"file by variable":   {[]string{"TRIBUTARY_CONFIG=" + file}, args, "TRIBUTARY_LOG_LEVEL"},
			"file is not there":  {[]string{"TRIBUTARY_CONFIG=" + file + "x"}, args, "configuration file"},
			"value from a file":  {[]string{"TRIBUTARY_KAFKA_PASSWORD_FILE=" + file + "x"}, args, "TRIBUTARY_KAFKA_PASSWORD_FILE"},
			"directory in error": {[]string{"TRIBUTARY_DATA_DIR=" + file, "TRIBUTARY_LOG_LEVEL=loud"}, args, "TRIBUTARY_LOG_LEVEL"},
		} {
			var out bytes.Buffer
			err := c.run(t.Context(), streams{&out, &out, try.environ}, try.args)
			if err == nil || !strings.Contains(err.Error(), try.want) {
				t.Errorf("%s, %s: %v", c.name, name, err)
			}
		}
	}
}

func TestSimulateFindsTheProcessThatTheConfigurationDescribes(t *testing.T) {
	t.Parallel()
	called := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"status":200,"id":"wamid.1"}`))
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	b, err := json.Marshal(demonstration{APIKey: "trb_demo_key"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "demo.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "tributary.yaml")
	if err := os.WriteFile(file, []byte("data_dir: "+dir+"\npublic_url: "+server.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(server.URL, "http://")
	for name, try := range map[string]struct {
		environ, args []string
		key           string
	}{
		"environment":   {[]string{"TRIBUTARY_DATA_DIR=" + dir, "TRIBUTARY_HTTP_ADDR=" + addr}, nil, "trb_demo_key"},
		"file":          {[]string{"TRIBUTARY_CONFIG=" + file}, nil, "trb_demo_key"},
		"flags":         {nil, []string{"--data-dir", dir, "--public-url", server.URL + "/"}, "trb_demo_key"},
		"bootstrap key": {[]string{"TRIBUTARY_BOOTSTRAP_API_KEY=trb_own_0123456789abcdef", "TRIBUTARY_PUBLIC_URL=" + server.URL}, nil, "trb_own_0123456789abcdef"},
		"named":         {[]string{"TRIBUTARY_URL=" + server.URL, "TRIBUTARY_API_KEY=trb_named_key", "TRIBUTARY_BOOTSTRAP_API_KEY=trb_own_0123456789abcdef"}, nil, "trb_named_key"},
	} {
		var out bytes.Buffer
		err := simulate(t.Context(), streams{&out, &out, try.environ}, append([]string{"whatsapp"}, try.args...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := <-called; got != "Bearer "+try.key || !strings.Contains(out.String(), "wamid.1") {
			t.Errorf("%s: called with %q, printed %q", name, got, out.String())
		}
	}
}

func TestTheBannerFitsATerminalAndItsCommandsWork(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := private(dir); err != nil {
		t.Fatal(err)
	}
	cfg, err := Program().Load(nil, []string{"TRIBUTARY_DATA_DIR=" + dir, "TRIBUTARY_ADMIN_ADDR=:9191"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := demonstrate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Channels = map[string]string{"whatsapp": "ch_w", "webchat": "ch_c"}
	var out bytes.Buffer
	if err := d.print(&out, "http://localhost:8080", cfg, time.Second); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{
		"API key     " + d.APIKey + "\n", d.Email, d.Password, "http://localhost:8080/docs", "http://localhost:9191/readyz", "/chat/ch_c/demo",
		"/webhooks/whatsapp/ch_w", ` --data-dir '` + strings.ReplaceAll(dir, "'", `'\''`) + `'` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 90 && !strings.HasPrefix(line, "    ") {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "demo-webhook.json")); err != nil || !json.Valid(b) {
		t.Errorf("%s %v", b, err)
	}
}
