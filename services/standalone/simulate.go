package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// simulate is the command "simulate": it asks the simulator of a running process to write as a customer.
func simulate(ctx context.Context, s streams, args []string) error {
	fs := pflag.NewFlagSet("tributary simulate <type>", pflag.ContinueOnError)
	fs.SetOutput(s.err)
	from := fs.String("from", "+4915112345678", "who writes: a phone number, or the provider's id of a person")
	name := fs.String("name", "", "the person's name")
	text := fs.String("text", "", "what they write")
	kind := fs.String("kind", "text", "text, image, location, button, reaction, edit, delete or typing, as far as the channel has it")
	account := fs.String("account", "", "the simulated account; empty: the first of that type")
	url := fs.String("url", "http://localhost:8080", "a running tributary; also TRIBUTARY_URL")
	key := fs.String("api-key", "", "an API key; also TRIBUTARY_API_KEY; empty: the demo's, from --data-dir")
	dir := fs.String("data-dir", "./tributary-data", "the data directory of the running process")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New(`say: tributary simulate whatsapp --from +4915112345678 --text "hello"`)
	}
	for _, kv := range s.environ {
		if v, ok := cut(kv, "TRIBUTARY_URL="); ok && !fs.Changed("url") {
			*url = v
		}
		if v, ok := cut(kv, "TRIBUTARY_API_KEY="); ok && *key == "" {
			*key = v
		}
	}
	if *key == "" {
		b, err := os.ReadFile(filepath.Join(*dir, "demo.json"))
		if err != nil {
			return fmt.Errorf("no --api-key, and the demo's cannot be read: %w", err)
		}
		var d demonstration
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("demo.json: %w", err)
		}
		*key = d.APIKey
	}
	var got struct {
		Status int    `json:"status"`
		ID     string `json:"id"`
	}
	in := map[string]any{"type": fs.Arg(0), "account": *account, "from": *from, "name": *name, "text": *text, "kind": *kind}
	if err := (&client{url: *url, key: *key}).call(ctx, "POST", "/simulator/inbound", "", in, &got); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "webhook answered %d, provider's id %s\n", got.Status, got.ID)
	return err
}

func cut(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return "", false
}
