package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

const (
	prefix    = "TRIBUTARY_"
	fileNamed = prefix + "CONFIG" // names the configuration file; no key
	ofTests   = prefix + "TEST_"  // begins the variables that test suites read; no keys
)

// EnvName is the environment variable of a key.
func EnvName(key string) string { return prefix + strings.ToUpper(key) }

// Program is what a program reads of its configuration.
type Program struct {
	Settings  []Settings        // besides the keys that every process has (Config)
	Elsewhere []string          // keys that other programs of the same installation read: they are no mistake here, and not read
	Defaults  map[string]string // by key, where they are others than declared
}

func (p Program) all() []Settings { return append([]Settings{Declare[Config]()}, p.Settings...) }

func (p Program) keys() ([]key, error) { return merge(p.all()) }

// Keys names the keys of the program's own settings, sorted; those of every process are not among them.
func (p Program) Keys() (names []string) {
	common := map[string]bool{}
	for _, k := range keysOf(reflect.TypeFor[Config]()) {
		common[k.name] = true
	}
	for _, s := range p.Settings {
		for _, k := range keysOf(s.typ) {
			if !common[k.name] {
				names = append(names, k.name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Flags returns the flags of all keys, and --config for the file. Those that other programs read are not shown.
func (p Program) Flags(name string) (*pflag.FlagSet, error) {
	keys, err := p.keys()
	if err != nil {
		return nil, err
	}
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.String("config", "", "configuration file (YAML, TOML or JSON); also "+fileNamed)
	for _, k := range keys {
		fs.String(flagName(k.name), "", k.help)
	}
	for _, name := range p.Elsewhere {
		if fs.Lookup(flagName(name)) == nil {
			fs.String(flagName(name), "", "")
			fs.Lookup(flagName(name)).Hidden = true
		}
	}
	return fs, nil
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

// Load reads the configuration. environ is os.Environ() in programs; fs may be nil.
func (p Program) Load(fs *pflag.FlagSet, environ []string) (*Config, error) {
	keys, err := p.keys()
	if err != nil {
		return nil, err
	}
	v, known := viper.New(), map[string]bool{}
	for _, k := range keys {
		v.SetDefault(k.name, k.def)
		known[k.name] = true
	}
	for name, def := range p.Defaults {
		v.SetDefault(name, def)
	}
	for _, name := range p.Elsewhere {
		known[name] = true
	}
	err = errors.Join(fromFile(v, fs, environ, known), fromEnviron(v, environ, known))
	if fs != nil {
		fs.Visit(func(f *pflag.Flag) {
			if name := strings.ReplaceAll(f.Name, "-", "_"); known[name] {
				v.Set(name, f.Value.String())
			}
		})
	}
	if err = errors.Join(err, fromSecretFiles(v, keys)); err != nil {
		return nil, err
	}
	return p.fill(v)
}

// fill reads the values into the structs that declare them, and checks them.
func (p Program) fill(v *viper.Viper) (*Config, error) {
	c, filled := &Config{}, map[reflect.Type]bool{}
	var errs []error
	for _, s := range p.all() {
		if filled[s.typ] {
			continue
		}
		filled[s.typ] = true
		to := reflect.ValueOf(c)
		if s.typ != reflect.TypeFor[Config]() {
			to = reflect.New(s.typ)
			c.With(to.Interface())
		}
		errs = append(errs, fillOne(v, to))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// fillOne fills the struct that to points to. Check is asked only about fields that are right by themselves.
func fillOne(v *viper.Viper, to reflect.Value) error {
	var errs []error
	for i, k := range keysOf(to.Elem().Type()) {
		field, given := to.Elem().Field(i), v.Get(k.name)
		err := decode(given, field.Addr().Interface())
		switch {
		case err != nil && k.secret:
			err = fmt.Errorf("want %s", k.values())
		case err != nil:
			err = fmt.Errorf("%q is wrong; want %s", fmt.Sprint(given), k.values())
		default:
			err = k.check(field)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", EnvName(k.name), err))
		}
	}
	if c, ok := to.Interface().(interface{ Check() error }); ok && len(errs) == 0 {
		errs = append(errs, c.Check())
	}
	return errors.Join(errs...)
}

// fromFile reads the configuration file, if one is named.
func fromFile(v *viper.Viper, fs *pflag.FlagSet, environ []string, known map[string]bool) error {
	file := ""
	for _, kv := range environ {
		if path, ok := strings.CutPrefix(kv, fileNamed+"="); ok {
			file = path
		}
	}
	if fs != nil && fs.Changed("config") {
		file, _ = fs.GetString("config")
	}
	if file == "" {
		return nil
	}
	v.SetConfigFile(file)
	if err := v.ReadInConfig(); err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	var errs []error
	for _, k := range v.AllKeys() {
		if !known[k] && !known[strings.TrimSuffix(k, "_file")] {
			errs = append(errs, fmt.Errorf("configuration file %s: unknown key %q%s", file, k, suggest(k, known, strings.ToLower)))
		}
	}
	return errors.Join(errs...)
}

func fromEnviron(v *viper.Viper, environ []string, known map[string]bool) error {
	var errs []error
	for _, kv := range environ {
		name, val, _ := strings.Cut(kv, "=")
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || name == fileNamed || strings.HasPrefix(name, ofTests) {
			continue
		}
		key := strings.ToLower(rest)
		if !known[key] && !known[strings.TrimSuffix(key, "_file")] {
			errs = append(errs, fmt.Errorf("unknown configuration key %s%s", name, suggest(key, known, EnvName)))
			continue
		}
		v.Set(key, val)
	}
	return errors.Join(errs...)
}

// fromSecretFiles reads the values of keys for which a file is named.
func fromSecretFiles(v *viper.Viper, keys []key) error {
	var errs []error
	for _, k := range keys {
		path := v.GetString(k.name + "_file")
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s_FILE: %w", EnvName(k.name), err))
			continue
		}
		v.Set(k.name, strings.TrimSpace(string(b)))
	}
	return errors.Join(errs...)
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

// suggest names the known key that shares the longest beginning with an unknown one, as the place writes keys.
func suggest(key string, known map[string]bool, as func(string) string) string {
	best, n := "", 3
	for _, k := range slices.Sorted(maps.Keys(known)) {
		i := 0
		for i < len(k) && i < len(key) && k[i] == key[i] {
			i++
		}
		if i > n {
			best, n = k, i
		}
	}
	if best == "" {
		return ": remove it"
	}
	return " (did you mean " + as(best) + "?)"
}
