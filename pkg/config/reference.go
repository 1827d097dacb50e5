package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// Print writes the effective configuration, secrets masked.
func (c *Config) Print(w io.Writer) error {
	printed := map[string]bool{}
	for _, part := range append([]any{c}, c.parts...) {
		v := reflect.ValueOf(part).Elem()
		for i, k := range keysOf(v.Type()) {
			if printed[k.name] {
				continue
			}
			printed[k.name] = true
			text := written(v.Field(i).Interface())
			if k.secret && text != "" {
				text = "(set)"
			}
			if _, err := fmt.Fprintf(w, "%s=%s\n", EnvName(k.name), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// written is a value as the environment has it.
func written(val any) string {
	switch v := val.(type) {
	case []string:
		return strings.Join(v, ",")
	case time.Duration:
		return v.String()
	}
	return fmt.Sprint(val)
}

// Reference writes docs/reference/configuration.md.
func (p Program) Reference(w io.Writer) error {
	keys, err := p.keys()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(w, `# Configuration

Generated from what the services declare (`+"`run.Service.Settings`"+`) and from what every process reads (`+"`pkg/config`"+`). A key can stand in
the environment, in a file (`+"`--config`"+`, in lower case without the prefix) or be a flag. Secrets (marked) may be read from a file: add `+"`_FILE`"+` to
the name. A process checks the keys that it reads, and lets those of others pass; a key that no process reads stops the start.

| Variable | Default | Values | Read by | Meaning |
|---|---|---|---|---|
`); err != nil {
		return err
	}
	for _, k := range keys {
		mark := ""
		if k.secret {
			mark = " (secret)"
		}
		readers := make([]string, len(k.readers))
		for i, r := range k.readers {
			readers[i] = reader(r)
		}
		if _, err := fmt.Fprintf(w, "| `%s` | `%s` | %s | %s | %s%s |\n", EnvName(k.name), k.def, k.values(), strings.Join(readers, ", "), k.help, mark); err != nil {
			return err
		}
	}
	return nil
}
