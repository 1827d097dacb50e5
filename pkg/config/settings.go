package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Settings declares the keys of one reader: the fields of a struct. A field is a string, a bool, an int, a time.Duration or a
// []string, and its tags say the rest: key, default, help, secret:"true", and what it may hold, as oneof:"on,off" or as min and max
// of a number or a duration. A struct with a method Check() error is asked, too, once its fields are read.
type Settings struct {
	Reader string // the service or program that reads them; empty: every process
	typ    reflect.Type
}

// Declare declares the keys of struct T.
func Declare[T any]() Settings { return Settings{typ: reflect.TypeFor[T]()} }

// By returns the same settings with their reader.
func (s Settings) By(reader string) Settings {
	s.Reader = reader
	return s
}

// Of returns the settings of struct T. It panics if the process declares none: what a service reads stands in its Settings.
func Of[T any](c *Config) *T {
	for _, p := range c.parts {
		if v, ok := p.(*T); ok {
			return v
		}
	}
	panic(fmt.Sprintf("config: %s is not among the settings that this process declares", reflect.TypeFor[T]()))
}

// With adds settings, pointers to structs, to a configuration and returns it.
func (c *Config) With(settings ...any) *Config {
	c.parts = append(c.parts, settings...)
	return c
}

// key is a declared key.
type key struct {
	name, help, def string
	min, max        string
	oneOf           []string
	secret          bool
	typ             reflect.Type
	tag             reflect.StructTag
	readers         []string // in the order of declaration; "" is every process
}

// keysOf lists the keys of a struct, and the index of their fields.
func keysOf(t reflect.Type) func(func(int, key) bool) {
	return func(yield func(int, key) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, ok := f.Tag.Lookup("key")
			if !ok {
				continue
			}
			k := key{
				name: name, help: f.Tag.Get("help"), def: f.Tag.Get("default"), min: f.Tag.Get("min"), max: f.Tag.Get("max"),
				secret: f.Tag.Get("secret") == "true", typ: f.Type, tag: f.Tag,
			}
			if text, ok := f.Tag.Lookup("oneof"); ok {
				k.oneOf = strings.Split(text, ",")
			}
			if !yield(i, k) {
				return
			}
		}
	}
}

// merge returns the keys of all settings in the order of declaration. A key that is declared twice must be declared alike.
func merge(all []Settings) (keys []key, err error) {
	for _, s := range all {
		for _, k := range keysOf(s.typ) {
			i := slices.IndexFunc(keys, func(have key) bool { return have.name == k.name })
			if i < 0 {
				k.readers = []string{s.Reader}
				keys = append(keys, k)
				continue
			}
			have := &keys[i]
			if have.tag != k.tag || have.typ != k.typ {
				return nil, fmt.Errorf("%s is declared by %s and, differently, by %s: declare it once, or alike", EnvName(k.name), reader(have.readers[0]), reader(s.Reader))
			}
			if !slices.Contains(have.readers, s.Reader) {
				have.readers = append(have.readers, s.Reader)
			}
		}
	}
	return keys, nil
}

func reader(name string) string {
	if name == "" {
		return "every process"
	}
	return "`" + name + "`"
}

// check returns what is wrong with a value.
func (k key) check(v reflect.Value) error {
	given := ""
	if !k.secret {
		given = fmt.Sprintf("%v ", v.Interface())
	}
	if k.oneOf != nil && !slices.Contains(k.oneOf, v.String()) {
		return fmt.Errorf("%q is none of %s; set one of them", v.String(), k.values())
	}
	if v.CanInt() && (k.min != "" && v.Int() < k.limit(k.min) || k.max != "" && v.Int() > k.limit(k.max)) {
		return fmt.Errorf("%sis out of range; set %s", given, k.values())
	}
	return nil
}

// limit reads a min or max. It panics if the declaration is wrong: every start reads it.
func (k key) limit(text string) int64 {
	v := reflect.New(k.typ)
	if err := decode(text, v.Interface()); err != nil {
		panic(fmt.Sprintf("config: a limit of key %s: %v", k.name, err))
	}
	return v.Elem().Int()
}

// values says what the key may hold.
func (k key) values() string {
	switch {
	case k.oneOf != nil:
		return strings.TrimPrefix(strings.Join(k.oneOf, ", "), ", ") + map[bool]string{true: ", or empty"}[slices.Contains(k.oneOf, "")]
	case k.min != "" && k.max != "":
		return k.kind() + " from " + k.min + " to " + k.max
	case k.min != "":
		return k.kind() + " of at least " + k.min
	case k.max != "":
		return k.kind() + " of at most " + k.max
	}
	return k.kind()
}

func (k key) kind() string {
	switch {
	case k.typ == reflect.TypeFor[time.Duration]():
		return "a duration"
	case k.typ == reflect.TypeFor[[]string]():
		return "a list, separated by commas"
	case k.typ.Kind() == reflect.Bool:
		return "true or false"
	case k.typ.Kind() == reflect.Int:
		return "a whole number"
	}
	return "text"
}
