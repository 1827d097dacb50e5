package standalone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
)

// simulate is the command "simulate": it asks the simulator of a running process to write as a customer. Which process, and with
// which key, is what the configuration says of that process.
func simulate(ctx context.Context, s streams, args []string) error {
	var from, name, text, kind, account, url, key string
	cfg, words, err := parse(s, "simulate", args, func(fs *pflag.FlagSet) {
		fs.StringVar(&from, "from", "+4915112345678", "who writes: a phone number, or the provider's id of a person")
		fs.StringVar(&name, "name", "", "the person's name")
		fs.StringVar(&text, "text", "", "what they write")
		fs.StringVar(&kind, "kind", "text", "text, image, location, button, reaction, edit, delete or typing, as far as the channel has it")
		fs.StringVar(&account, "account", "", "the simulated account; empty: the first of that type")
		fs.StringVar(&url, "url", variable(s.environ, "TRIBUTARY_URL"), "a running tributary; also TRIBUTARY_URL; empty: the one that the configuration describes")
		fs.StringVar(&key, "api-key", "", "an API key; also TRIBUTARY_API_KEY; empty: the bootstrapped one, or the demo's in data_dir")
	})
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return errors.New(`say: tributary simulate whatsapp --from +4915112345678 --text "hello"`)
	}
	if url == "" {
		url = run.PublicURL(cfg)
	}
	if key == "" { // the default of a flag is shown in the usage: a key never
		key = variable(s.environ, "TRIBUTARY_API_KEY")
	}
	if key == "" {
		if key, err = knownKey(cfg); err != nil {
			return fmt.Errorf("no --api-key, and the demo's cannot be read (TRIBUTARY_DATA_DIR names its folder): %w", err)
		}
	}
	var got struct {
		Status int    `json:"status"`
		ID     string `json:"id"`
	}
	in := map[string]any{"type": words[0], "account": account, "from": from, "name": name, "text": text, "kind": kind}
	if err := (&client{url: url, key: key}).call(ctx, "POST", "/simulator/inbound", "", in, &got); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "webhook answered %d, provider's id %s\n", got.Status, got.ID)
	return err
}

// knownKey is the API key of a process with this configuration: the bootstrapped one, or the demo's.
func knownKey(cfg *config.Config) (string, error) {
	if cfg.BootstrapAPIKey != "" {
		return cfg.BootstrapAPIKey, nil
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

// variable is the value of an environment variable, empty if it is not set.
func variable(environ []string, name string) string {
	for _, kv := range environ {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
