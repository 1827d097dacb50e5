package standalone

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/pkg/store"
)

// keyFile holds the encryption key of an installation that is given none: the key that seals, and in further lines those that are
// accepted while keys are rotated.
func keyFile(cfg *config.Config) string { return filepath.Join(mine(cfg).DataDir, "encryption.key") }

func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(key)
}

// keys reads the key file into the configuration, if that names no key. The file is made at the first start only: where the store
// holds sealed data, a key that is not there was lost, and another one would not open anything.
func keys(ctx context.Context, cfg *config.Config) error {
	if cfg.EncryptionKey != "" {
		return nil
	}
	path := keyFile(cfg)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		held, err := holdsSealed(ctx, cfg.StoreURL)
		if err != nil {
			return fmt.Errorf("%s is not there, and whether the store holds data that its key sealed cannot be found out: %w", path, err)
		}
		if held {
			return fmt.Errorf("%s is not there, but the store holds secrets that its key sealed: put the file back from the backup, or set "+
				"TRIBUTARY_ENCRYPTION_KEY. If the key is lost for good: tributary keys generate, then tributary keys rotate --give-up-lost", path)
		}
	}
	text, err := remembered(path, newKey)
	if err != nil {
		return err
	}
	lines := strings.Fields(text)
	if len(lines) == 0 {
		return fmt.Errorf("%s is empty: put it back from the backup", path)
	}
	cfg.EncryptionKey, cfg.EncryptionKeysAccepted = lines[0], append(cfg.EncryptionKeysAccepted, lines[1:]...)
	return nil
}

// holdsSealed looks into the store, if there is one already.
func holdsSealed(ctx context.Context, url string) (held bool, err error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
	}
	db, err := run.OpenStore(ctx, url)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Require(ctx, directory.Keys, directory.Channels)
	if errors.Is(err, store.ErrMissing) {
		return false, nil // nothing has run on this store, or ProveKey stops the start once its indexes are there
	}
	if err != nil {
		return false, err
	}
	return directory.HoldsSealed(ctx, db)
}

// keysCommand is the command "keys generate" and "keys rotate".
func keysCommand(ctx context.Context, s streams, args []string) error {
	if len(args) == 0 || args[0] != "generate" && args[0] != "rotate" {
		return errors.New("say: tributary keys generate, or tributary keys rotate")
	}
	giveUp := false
	cfg, err := load(s, "keys "+args[0], args[1:], func(fs *pflag.FlagSet) {
		fs.BoolVar(&giveUp, "give-up-lost", false, "go on although the key of some values is lost; they are to be set again")
	})
	if err != nil {
		return err
	}
	if err := folders(cfg); err != nil {
		return err
	}
	if args[0] == "generate" {
		return generate(s, cfg)
	}
	return rotate(ctx, s, cfg, giveUp)
}

// generate puts a new key before those of the key file; where the configuration names the key it only prints one.
func generate(s streams, cfg *config.Config) error {
	key, path := newKey(), keyFile(cfg)
	if cfg.EncryptionKey != "" {
		_, err := fmt.Fprintln(s.out, key)
		return err
	}
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := replaceFile(path, key+"\n"+string(before)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "a new key is the first line of %s; start the process again, then run: tributary keys rotate\n", path)
	return err
}

func rotate(ctx context.Context, s streams, cfg *config.Config, giveUp bool) (err error) {
	inFile := cfg.EncryptionKey == ""
	if inFile {
		if _, err := os.Stat(keyFile(cfg)); err != nil {
			return fmt.Errorf("no encryption key: TRIBUTARY_ENCRYPTION_KEY is not set, and %w", err)
		}
		if err := keys(ctx, cfg); err != nil {
			return err
		}
	}
	all, err := cfg.Keys()
	if err != nil {
		return err
	}
	sealer, err := auth.NewSealer(all...)
	if err != nil {
		return err
	}
	db, err := run.OpenStore(ctx, cfg.StoreURL)
	if err != nil {
		return fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Require(ctx, directory.Keys, directory.Channels); err != nil {
		return err
	}
	r, err := directory.Reseal(ctx, db, sealer, giveUp, func(r directory.Resealed) {
		_, _ = fmt.Fprintf(s.out, "%d values sealed with key %s, %d were already\n", r.Values, sealer.ID(), r.Current)
	})
	for _, what := range r.Lost {
		_, _ = fmt.Fprintf(s.out, "does not open: %s\n", what)
	}
	if err != nil {
		return err
	}
	if inFile {
		if err := replaceFile(keyFile(cfg), cfg.EncryptionKey+"\n"); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(s.out, "done: %d values were sealed again, %d were current, %d are given up; the other keys are needed no more\n",
		r.Values, r.Current, len(r.Lost))
	return err
}
