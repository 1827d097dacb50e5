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

// toy are the settings of a service: one field of every kind.
type toy struct {
	Flavour string        `key:"toy_flavour" default:"plain" oneof:"plain,lemon" help:"what it tastes of"`
	Pieces  int           `key:"toy_pieces" default:"3" min:"1" max:"9" help:"how many there are"`
	Wait    time.Duration `key:"toy_wait" default:"1s" min:"10ms" help:"how long it waits"`
	Loud    bool          `key:"toy_loud" default:"false" help:"whether it makes a noise"`
	Word    string        `key:"toy_word" secret:"true" help:"its password"`
	Limit   int           `key:"toy_limit" secret:"true" default:"1" max:"5" help:"a secret number"`
}

func (s *toy) Check() error {
	if s.Loud && s.Word == "" {
		return os.ErrInvalid
	}
	return nil
}

// program has a service's settings beside those of every process.
var program = config.Program{Settings: []config.Settings{config.Declare[toy]().By("toys")}, Elsewhere: []string{"other_key"}}

// samples are values of keys that do not take every text.
var samples = map[string]string{
	"kafka_linger": "7ms", "kafka_compression": "zstd", "log_level": "warn", "log_format": "text", "kafka_sasl": "plain", "public_url": "https://gw.example",
	"store_url": "sqlite:x.db", "encryption_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "egress_allow": "127.0.0.0/8", "trusted_proxies": "10.0.0.0/8",
	"toy_flavour": "lemon", "toy_limit": "2",
}

func sample(f reflect.StructField) string {
	if val, ok := samples[f.Tag.Get("key")]; ok {
		return val
	}
	switch f.Type.Kind() {
	case reflect.Bool:
		return "true"
	case reflect.Int:
		return "7"
	case reflect.Int64:
		return "9s"
	}
	return "value-of-" + f.Tag.Get("key")
}

func TestEveryKeyReachesItsField(t *testing.T) {
	t.Parallel()
	structs := map[reflect.Type]func(*config.Config) any{
		reflect.TypeFor[config.Config](): func(c *config.Config) any { return *c },
		reflect.TypeFor[toy]():           func(c *config.Config) any { return *config.Of[toy](c) },
	}
	def, err := program.Load(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for typ, of := range structs {
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("key")
			if key == "" {
				continue
			}
			val, environ := sample(typ.Field(i)), []string{"TRIBUTARY_TOY_WORD=x"}
			fs, err := program.Flags("test")
			if err != nil {
				t.Fatal(err)
			}
			if err := fs.Parse([]string{"--" + strings.ReplaceAll(key, "_", "-"), val}); err != nil {
				t.Fatal(err)
			}
			if key == "toy_word" {
				environ = nil
			}
			byEnv, err := program.Load(nil, append(environ, config.EnvName(key)+"="+val))
			byFlag, err2 := program.Load(fs, environ)
			if err != nil || err2 != nil {
				t.Errorf("%s: %v, %v", key, err, err2)
				continue
			}
			for how, c := range map[string]*config.Config{"environment": byEnv, "flag": byFlag} {
				got := reflect.ValueOf(of(c)).Field(i).Interface()
				if reflect.DeepEqual(got, reflect.ValueOf(of(def)).Field(i).Interface()) {
					t.Errorf("%s=%s (%s) did not reach the field, it is still %v", key, val, how, got)
				}
			}
		}
	}
}

// TestWhatDoesNotFitStopsTheStart: the error names the key, what it may hold and so what to do, and never a secret.
func TestWhatDoesNotFitStopsTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(file, []byte("http_addr: :1\nhttp_adr: :2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for environ, want := range map[string]string{
		"TRIBUTARY_KAFKA_BROKER=a:1":                  "TRIBUTARY_KAFKA_BROKER (did you mean TRIBUTARY_KAFKA_BROKERS?)",
		"TRIBUTARY_TOY_FLAVOR=lemon":                  "TRIBUTARY_TOY_FLAVOR (did you mean TRIBUTARY_TOY_FLAVOUR?)",
		"TRIBUTARY_ZZZ=1":                             "TRIBUTARY_ZZZ: remove it",
		"TRIBUTARY_CONFIG=" + file:                    `unknown key "http_adr" (did you mean http_addr?)`,
		"TRIBUTARY_SHUTDOWN_DRAIN=soon":               `TRIBUTARY_SHUTDOWN_DRAIN: "soon" is wrong; want a duration of at least 0s`,
		"TRIBUTARY_SHUTDOWN_DELAY=-1s":                "TRIBUTARY_SHUTDOWN_DELAY: -1s is out of range; set a duration of at least 0s",
		"TRIBUTARY_KAFKA_LINGER=2s":                   "TRIBUTARY_KAFKA_LINGER: 2s is out of range; set a duration from 1ns to 1s",
		"TRIBUTARY_LOG_FORMAT=xml":                    `TRIBUTARY_LOG_FORMAT: "xml" is none of auto, json, text; set one of them`,
		"TRIBUTARY_KAFKA_SASL=ntlm":                   `"ntlm" is none of plain, scram-sha-256, scram-sha-512, or empty`,
		"TRIBUTARY_TOY_FLAVOUR=mint":                  `TRIBUTARY_TOY_FLAVOUR: "mint" is none of plain, lemon`,
		"TRIBUTARY_TOY_PIECES=10":                     "TRIBUTARY_TOY_PIECES: 10 is out of range; set a whole number from 1 to 9",
		"TRIBUTARY_TOY_PIECES=few":                    `TRIBUTARY_TOY_PIECES: "few" is wrong; want a whole number from 1 to 9`,
		"TRIBUTARY_TOY_WAIT=9ms":                      "TRIBUTARY_TOY_WAIT: 9ms is out of range; set a duration of at least 10ms",
		"TRIBUTARY_TOY_LOUD=perhaps":                  `TRIBUTARY_TOY_LOUD: "perhaps" is wrong; want true or false`,
		"TRIBUTARY_TOY_LOUD=true":                     os.ErrInvalid.Error(),
		"TRIBUTARY_TOY_LIMIT=4711":                    "TRIBUTARY_TOY_LIMIT: is out of range; set a whole number of at most 5",
		"TRIBUTARY_TOY_LIMIT=planted4711":             "TRIBUTARY_TOY_LIMIT: want a whole number of at most 5",
		"TRIBUTARY_KAFKA_PASSWORD_FILE=" + file + "x": "TRIBUTARY_KAFKA_PASSWORD_FILE: ",
	} {
		_, err := program.Load(nil, []string{environ})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "4711") {
			t.Errorf("%s: error %v, want one that says %q", environ, err, want)
		}
	}
	for _, environ := range []string{"TRIBUTARY_OTHER_KEY=x", "TRIBUTARY_OTHER_KEY_FILE=/x", "TRIBUTARY_TEST_X=1", "PATH=/"} {
		if _, err := program.Load(nil, []string{environ}); err != nil {
			t.Errorf("%s is another's: %v", environ, err)
		}
	}
}

// TestAKeyIsDeclaredAlike: what two services read, both declare in the same words, and both get it.
func TestAKeyIsDeclaredAlike(t *testing.T) {
	t.Parallel()
	type same struct {
		Quantity int `key:"toy_pieces" default:"3" min:"1" max:"9" help:"how many there are"`
	}
	type otherLimit struct {
		Pieces int `key:"toy_pieces" default:"3" min:"1" max:"10" help:"how many there are"`
	}
	type otherType struct {
		Pieces string `key:"toy_pieces" default:"3" min:"1" max:"9" help:"how many there are"`
	}
	type common struct {
		Addr string `key:"http_addr" default:":1"`
	}
	with := func(s config.Settings) config.Program {
		return config.Program{Settings: append(program.Settings[:1:1], s.By("games"))}
	}
	c, err := with(config.Declare[same]()).Load(nil, []string{"TRIBUTARY_TOY_PIECES=4"})
	if err != nil || config.Of[same](c).Quantity != 4 || config.Of[toy](c).Pieces != 4 {
		t.Errorf("declared alike: %v", err)
	}
	if c, err = with(config.Declare[toy]()).Load(nil, []string{"TRIBUTARY_TOY_PIECES=5"}); err != nil || config.Of[toy](c).Pieces != 5 {
		t.Errorf("declared by one struct: %v", err)
	}
	var page strings.Builder
	if err := with(config.Declare[same]()).Reference(&page); err != nil || !strings.Contains(page.String(), "| `TRIBUTARY_TOY_PIECES` | `3` | a whole number from 1 to 9 | `toys`, `games` | how many there are |\n") {
		t.Errorf("%v: %s", err, page.String())
	}
	for name, s := range map[string]config.Settings{"limit": config.Declare[otherLimit](), "type": config.Declare[otherType](), "key of every process": config.Declare[common]()} {
		p := with(s)
		_, err := p.Load(nil, nil)
		if _, err2 := p.Flags("x"); err == nil || err2 == nil || !strings.Contains(err.Error(), "`games`") || !strings.Contains(err.Error(), "declare it once, or alike") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrderOfPrecedenceAndSecretFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secret := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "pw")
	if err := os.WriteFile(file, []byte("http_addr: :1\nadmin_addr: :2\nshutdown_drain: 3s\nkafka_brokers: [a:1, b:2]\ntoy_pieces: 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fs, err := program.Flags("test")
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.Parse([]string{"--config", file, "--http-addr", ":9"}); err != nil {
		t.Fatal(err)
	}
	own := program
	own.Defaults = map[string]string{"admin_addr": ":8", "log_level": "warn"}
	c, err := own.Load(fs, []string{"TRIBUTARY_HTTP_ADDR=:5", "TRIBUTARY_ADMIN_ADDR=:6", "TRIBUTARY_KAFKA_PASSWORD_FILE=" + secret, "TRIBUTARY_TOY_WORD_FILE=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPAddr != ":9" || c.AdminAddr != ":6" || c.ShutdownDrain != 3*time.Second || c.KafkaPassword != "hunter2" || len(c.KafkaBrokers) != 2 || c.LogLevel != "warn" {
		t.Errorf("got %+v", c)
	}
	if got := *config.Of[toy](c); got.Pieces != 8 || got.Word != "hunter2" || got.Flavour != "plain" {
		t.Errorf("got %+v", got)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil || strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "TRIBUTARY_TOY_PIECES=8\n") {
		t.Errorf("the printed configuration shows a secret or lacks a key (%v): %s", err, out.String())
	}
}

func TestSettingsThatNoServiceDeclaresCannotBeRead(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("they were read")
		}
	}()
	config.Of[toy](&config.Config{})
}
