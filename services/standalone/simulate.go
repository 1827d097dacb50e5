package standalone

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/admin"
)

// simulate is the command "simulate": it asks the simulator of a running process to write as a customer. Which process, and with
// which key, is what the configuration says of that process.
func simulate(ctx context.Context, s streams, args []string) error {
	var from, name, text, kind, account, post string
	cfg, words, err := parse(s, "simulate", args, func(fs *pflag.FlagSet) {
		fs.StringVar(&from, "from", "+4915112345678", "who writes: a phone number, or the provider's id of a person")
		fs.StringVar(&name, "name", "", "the person's name")
		fs.StringVar(&text, "text", "", "what they write")
		fs.StringVar(&kind, "kind", "text", "text, image, location, button, reaction, edit, delete or typing, as far as the channel has it")
		fs.StringVar(&post, "post", "", "on Facebook and Instagram the post below which it is a comment")
		fs.StringVar(&account, "account", "", "the simulated account; empty: the first of that type")
	})
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return errors.New(`say: tributary simulate whatsapp --from +4915112345678 --text "hello"`)
	}
	url, key := cmp.Or(mine(cfg).URL, run.PublicURL(cfg)), mine(cfg).APIKey
	if key == "" {
		if key, err = knownKey(cfg); err != nil {
			return fmt.Errorf("no --api-key, and the demo's cannot be read (TRIBUTARY_DATA_DIR names its folder): %w", err)
		}
	}
	var got struct {
		Status int    `json:"status"`
		ID     string `json:"id"`
	}
	in := map[string]any{"type": words[0], "account": account, "from": from, "name": name, "text": text, "kind": kind, "post": post}
	if err := (&client{url: url, key: key}).call(ctx, "POST", "/simulator/inbound", "", in, &got); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "webhook answered %d, provider's id %s\n", got.Status, got.ID)
	return err
}

// knownKey is the API key of a process with this configuration: the bootstrapped one, or the demo's.
func knownKey(cfg *config.Config) (string, error) {
	if key := config.Of[admin.Bootstrap](cfg).APIKey; key != "" {
		return key, nil
	}
	b, err := os.ReadFile(demoFile(cfg))
	if err != nil {
		return "", err
	}
	var d demonstration
	if err := json.Unmarshal(b, &d); err != nil {
		return "", fmt.Errorf("%s: %w", demoFile(cfg), err)
	}
	return d.APIKey, nil
}
