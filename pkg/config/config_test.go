package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/pkg/config"
)

func TestEveryEnvironmentVariableReachesItsField(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[config.Config]()
	samples := map[string]string{
		"kafka_linger": "7ms", "kafka_sync": "off", "kafka_compression": "zstd", "demo": "off", "log_level": "warn", "log_format": "text", "kafka_sasl": "plain", "public_url": "https://gw.example",
		"store_url": "sqlite:x.db", "encryption_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "egress_allow": "127.0.0.0/8", "trusted_proxies": "10.0.0.0/8",
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := f.Tag.Get("key")
		val, ok := samples[key]
		if !ok {
			switch f.Type.Kind() {
			case reflect.Bool:
				val = "true"
			case reflect.Int:
				val = "7"
			case reflect.Int64:
				val = "9s"
			default:
				val = "value-of-" + key
			}
		}
		c, err := config.Load(nil, []string{config.EnvName(key) + "=" + val})
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		def, _ := config.Load(nil, nil)
		got := reflect.ValueOf(*c).Field(i).Interface()
		if reflect.DeepEqual(got, reflect.ValueOf(*def).Field(i).Interface()) {
			t.Errorf("%s=%s did not reach the field, it is still %v", config.EnvName(key), val, got)
		}
	}
}

func TestUnknownKeysStopTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("http_addr: :1\nhttp_adr: :2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		env  []string
		want string
	}{
		"environment": {[]string{"TRIBUTARY_KAFKA_BROKER=a:1"}, "TRIBUTARY_KAFKA_BROKER (did you mean TRIBUTARY_KAFKA_BROKERS?)"},
		"file":        {[]string{"TRIBUTARY_CONFIG=" + file}, `unknown key "http_adr"`},
		"value":       {[]string{"TRIBUTARY_SHUTDOWN_DRAIN=soon"}, "TRIBUTARY_SHUTDOWN_DRAIN"},
		"choice":      {[]string{"TRIBUTARY_DEMO=maybe"}, `TRIBUTARY_DEMO: "maybe" is none of on, off`},
	} {
		_, err := config.Load(nil, tc.env)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, tc.want)
		}
	}
}

func TestOrderOfPrecedenceAndSecretFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "pw")
	if err := os.WriteFile(file, []byte("http_addr: :1\nadmin_addr: :2\nshutdown_drain: 3s\nkafka_brokers: [a:1, b:2]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fs := config.Flags("test")
	if err := fs.Parse([]string{"--config", file, "--http-addr", ":9"}); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(fs, []string{"TRIBUTARY_HTTP_ADDR=:5", "TRIBUTARY_ADMIN_ADDR=:6", "TRIBUTARY_KAFKA_PASSWORD_FILE=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPAddr != ":9" || c.AdminAddr != ":6" || c.ShutdownDrain != 3*time.Second || c.KafkaPassword != "hunter2" || len(c.KafkaBrokers) != 2 {
		t.Errorf("got %+v", c)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil || strings.Contains(out.String(), "hunter2") {
		t.Errorf("the printed configuration shows a secret (or failed: %v)", err)
	}
}
