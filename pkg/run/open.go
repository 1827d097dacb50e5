package run

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/blob"
	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/cache"
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/directory"
	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/store"
	"github.com/tributaryhq/tributary/pkg/store/mongo"
	"github.com/tributaryhq/tributary/pkg/store/observed"
	"github.com/tributaryhq/tributary/pkg/store/sqlite"
)

// Open connects to the servers that the configuration names and returns what services share. close releases it; it is to be
// called also after an error.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (env *Env, close func() error, err error) {
	var opened []func() error
	close = func() error {
		var errs []error
		for _, c := range slices.Backward(opened) {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	env = &Env{Config: cfg, Log: log, Now: time.Now, PublicURL: PublicURL(cfg)}
	if env.Bus, err = OpenBus(ctx, cfg, log); err != nil {
		return nil, close, err
	}
	opened = append(opened, env.Bus.Close)
	env.Bus = watchBus(env.Bus)
	if env.DB, err = OpenStore(ctx, cfg.StoreURL); err != nil {
		return nil, close, fmt.Errorf("TRIBUTARY_STORE_URL: %w", err)
	}
	opened = append(opened, env.DB.Close)
	env.DB = observed.New(watchDB(env.DB), storeSystem(cfg.StoreURL))
	if env.Cache, err = cache.Open(cfg.RedisURL); err != nil {
		return nil, close, fmt.Errorf("TRIBUTARY_REDIS_URL: %w", err)
	}
	opened = append(opened, env.Cache.Close)
	if env.Blob, err = blob.Open(ctx, cfg.BlobURL, env.DB, env.Now); err != nil {
		return nil, close, fmt.Errorf("TRIBUTARY_BLOB_URL: %w", err)
	}
	opened = append(opened, env.Blob.Close)
	networks, addresses, err := cfg.Allowed()
	if err != nil {
		return nil, close, err
	}
	env.Egress = egress.New(egress.Config{Allow: networks, AllowAddresses: addresses, Wrap: watchCalls()})
	opened = append(opened, env.Egress.Close)
	return env, close, identify(ctx, env)
}

// identify sets up who may do what.
func identify(ctx context.Context, env *Env) error {
	keys, err := env.Config.Keys()
	if err != nil {
		return err
	}
	if env.Sealer, err = auth.NewSealer(keys...); err != nil {
		return err
	}
	env.Directory = directory.New(env.DB, env.Bus, env.Sealer, env.Now)
	var issuer auth.Verifier
	if env.Config.OIDCIssuer != "" {
		if issuer, err = auth.NewIssuer(ctx, env.Config.OIDCIssuer, env.Config.OIDCAudience); err != nil {
			return fmt.Errorf("TRIBUTARY_OIDC_ISSUER: %w", err)
		}
	}
	env.Auth, err = auth.NewAuthenticator(env.Directory, keys[0], issuer, env.Now, keys[1:]...)
	return err
}

// OpenBus connects to Kafka alone.
func OpenBus(ctx context.Context, cfg *config.Config, log *slog.Logger) (bus.Bus, error) {
	k, err := busConfig(cfg, log)
	if err != nil {
		return nil, err
	}
	b, err := kafka.Open(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("TRIBUTARY_KAFKA_BROKERS: %w", err)
	}
	return b, nil
}

func busConfig(cfg *config.Config, log *slog.Logger) (k kafka.Config, err error) {
	k = kafka.Config{Brokers: cfg.KafkaBrokers, ClientID: "tributary", Log: log, Linger: cfg.KafkaLinger, Compression: cfg.KafkaCompression}
	if cfg.KafkaTLS {
		k.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cfg.KafkaTLSCert != "" || cfg.KafkaTLSKey != "" {
		pair, err := tls.X509KeyPair([]byte(cfg.KafkaTLSCert), []byte(cfg.KafkaTLSKey))
		switch {
		case err != nil:
			return k, fmt.Errorf("TRIBUTARY_KAFKA_TLS_CERT and TRIBUTARY_KAFKA_TLS_KEY: want a certificate and its key, both in PEM: %w", err)
		case k.TLS == nil:
			return k, errors.New("TRIBUTARY_KAFKA_TLS_CERT is set and TRIBUTARY_KAFKA_TLS is not: set it to true, or leave the certificate out")
		}
		k.TLS.Certificates = []tls.Certificate{pair}
	}
	if cfg.KafkaSASL != "" {
		k.SASL = kafka.SASL{Mechanism: strings.ToUpper(cfg.KafkaSASL), Username: cfg.KafkaUsername, Password: cfg.KafkaPassword}
	}
	return k, nil
}

// storeSystem is the name that OpenTelemetry's semantic conventions have for the store behind a URL.
func storeSystem(url string) string {
	if strings.HasPrefix(url, "sqlite:") {
		return "sqlite"
	}
	return "mongodb"
}

// OpenStore connects to the store alone.
func OpenStore(ctx context.Context, url string) (store.DB, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return sqlite.Open(ctx, path)
	}
	return mongo.Open(ctx, url)
}

// PublicURL is the URL of a process with this configuration, without a slash at the end.
func PublicURL(cfg *config.Config) string {
	if cfg.PublicURL != "" {
		return strings.TrimSuffix(cfg.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(cfg.HTTPAddr)
	if err != nil || host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Listen opens a listener; a port in use is named.
func Listen(key, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", config.EnvName(key), addr, err)
	}
	return l, nil
}
