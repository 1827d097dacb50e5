package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

const prefix = "TRIBUTARY_"

// notKeys are variables with our prefix that other parts read; they are no configuration keys. Nor are those of the test suites.
var notKeys = []string{"TRIBUTARY_CONFIG", "TRIBUTARY_URL", "TRIBUTARY_API_KEY"}

const ofTests = prefix + "TEST_"

// EnvName is the environment variable of a key.
func EnvName(key string) string { return prefix + strings.ToUpper(key) }

// Flags returns the flags of all keys, and --config for the file.
func Flags(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.String("config", "", "configuration file (YAML, TOML or JSON); also TRIBUTARY_CONFIG")
	for f := range fields() {
		fs.String(strings.ReplaceAll(f.key, "_", "-"), "", f.help)
	}
	return fs
}

// Load reads the configuration. environ is os.Environ() in programs. defaults are those of the program, by key, where they are
// others than everywhere.
func Load(fs *pflag.FlagSet, environ []string, defaults ...map[string]string) (*Config, error) {
	v := viper.New()
	known := map[string]bool{}
	for f := range fields() {
		v.SetDefault(f.key, f.def)
		known[f.key] = true
	}
	for _, own := range defaults {
		for key, def := range own {
			v.SetDefault(key, def)
		}
	}
	env := map[string]string{}
	for _, kv := range environ {
		k, val, _ := strings.Cut(kv, "=")
		env[k] = val
	}
	file := env["TRIBUTARY_CONFIG"]
	if fs != nil && fs.Changed("config") {
		file, _ = fs.GetString("config")
	}
	if file != "" {
		v.SetConfigFile(file)
		if err := v.ReadInConfig(); err != nil {
			return nil, fmt.Errorf("configuration file: %w", err)
		}
	}
	var errs []error
	for _, k := range v.AllKeys() {
		if !known[k] && !known[strings.TrimSuffix(k, "_file")] {
			errs = append(errs, fmt.Errorf("configuration file %s: unknown key %q", file, k))
		}
	}
	for name, val := range env {
		key := strings.ToLower(strings.TrimPrefix(name, prefix))
		switch {
		case !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, ofTests) || slices.Contains(notKeys, name):
		case known[key]:
			v.Set(key, val)
		case strings.HasSuffix(key, "_file") && known[strings.TrimSuffix(key, "_file")]:
			v.Set(key, val)
		default:
			errs = append(errs, fmt.Errorf("unknown configuration key %s%s", name, suggest(key, known)))
		}
	}
	if fs != nil {
		fs.Visit(func(f *pflag.Flag) {
			if f.Name != "config" {
				v.Set(strings.ReplaceAll(f.Name, "-", "_"), f.Value.String())
			}
		})
	}
	errs = append(errs, fromFiles(v, known)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	c := &Config{}
	for f := range fields() {
		if err := decode(v.Get(f.key), reflect.ValueOf(c).Elem().FieldByName(f.name).Addr().Interface()); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", EnvName(f.key), err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, c.validate()
}

func fromFiles(v *viper.Viper, known map[string]bool) (errs []error) {
	for key := range known {
		path := v.GetString(key + "_file")
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s_FILE: %w", EnvName(key), err))
			continue
		}
		v.Set(key, strings.TrimSpace(string(b)))
	}
	return errs
}

func decode(from any, to any) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:           to,
		WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(),
			func(_, t reflect.Type, data any) (any, error) {
				if s, ok := data.(string); ok && t == reflect.TypeFor[[]string]() {
					return split(s), nil
				}
				return data, nil
			}),
	})
	if err != nil {
		return err
	}
	return d.Decode(from)
}

func split(s string) []string {
	out := []string{}
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// suggest names the known key that shares the longest beginning with an unknown one.
func suggest(key string, known map[string]bool) string {
	best, n := "", 3
	for k := range known {
		i := 0
		for i < len(k) && i < len(key) && k[i] == key[i] {
			i++
		}
		if i > n || (i == n && best != "" && k < best) {
			best, n = k, i
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + EnvName(best) + "?)"
}

type field struct {
	name, key, help string
	def             string
	secret          bool
	kind            reflect.Type
}

func fields() func(func(field) bool) {
	return func(yield func(field) bool) {
		t := reflect.TypeFor[Config]()
		for i := range t.NumField() {
			f := t.Field(i)
			if !yield(field{f.Name, f.Tag.Get("key"), f.Tag.Get("help"), f.Tag.Get("default"), f.Tag.Get("secret") == "true", f.Type}) {
				return
			}
		}
	}
}

// Print writes the effective configuration, secrets masked.
func (c *Config) Print(w io.Writer) error {
	for f := range fields() {
		val := reflect.ValueOf(c).Elem().FieldByName(f.name).Interface()
		text := fmt.Sprint(val)
		switch v := val.(type) {
		case []string:
			text = strings.Join(v, ",")
		case time.Duration:
			text = v.String()
		}
		if f.secret && text != "" {
			text = "(set)"
		}
		if _, err := fmt.Fprintf(w, "%s=%s\n", EnvName(f.key), text); err != nil {
			return err
		}
	}
	return nil
}

// Reference writes docs/reference/configuration.md.
func Reference(w io.Writer) error {
	if _, err := fmt.Fprint(w, "# Configuration\n\nGenerated from `pkg/config`. A key can stand in the environment, in a file (`--config`, in lower case without the prefix) or be a flag.\nSecrets (marked) may be read from a file: add `_FILE` to the name.\n\n| Variable | Default | Meaning |\n|---|---|---|\n"); err != nil {
		return err
	}
	for f := range fields() {
		mark := ""
		if f.secret {
			mark = " (secret)"
		}
		if _, err := fmt.Fprintf(w, "| `%s` | `%s` | %s%s |\n", EnvName(f.key), f.def, f.help, mark); err != nil {
			return err
		}
	}
	return nil
}
