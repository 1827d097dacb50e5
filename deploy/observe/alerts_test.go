package observe

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

const (
	ruleFile = "../../charts/tributary/files/rules/tributary.yaml"
	runbook  = "../../docs/guide/alerts.md"
)

// hooks are series of webhooks: so many a minute with each status, and so many of all of them within a second.
func hooks(ok, failed, fast string) string {
	const route = `http_route="/webhooks/line/*rest"`
	return `
		http_server_request_duration_seconds_count{` + route + `,http_response_status_code="200"} ` + ok + `
		http_server_request_duration_seconds_count{` + route + `,http_response_status_code="503"} ` + failed + `
		http_server_request_duration_seconds_bucket{` + route + `,http_response_status_code="200",le="1"} ` + fast + `
		http_server_request_duration_seconds_count{http_route="/v1/channels",http_response_status_code="500"} 0+1000x600`
}

func seen(all, soon string) string {
	return `
		tributary_e2e_latency_seconds_count{channel_type="line"} ` + all + `
		tributary_e2e_latency_seconds_bucket{channel_type="line",le="5"} ` + soon
}

func signatures(wrong, received string) string {
	return `
		tributary_webhook_signature_failures_total{channel_type="line"} ` + wrong + `
		tributary_webhook_received_total{channel_type="line",result="accepted"} ` + received
}

const silent = `tributary_webhook_received_total{channel_type="line",result="accepted"} `

// cases are what Prometheus has scraped, once a minute, and how many instances of an alert fire at a time.
var cases = []struct {
	alert, name, series string
	at                  time.Duration
	fires               int
}{
	{"TributaryAcceptErrorsFast", "2 % are refused", hooks("0+980x120", "0+20x120", "0+980x120"), 2 * time.Hour, 1},
	{"TributaryAcceptErrorsFast", "0.5 % are refused", hooks("0+995x120", "0+5x120", "0+995x120"), 2 * time.Hour, 0},
	{"TributaryAcceptErrorsFast", "it is over", hooks("0+1000x130", "0+50x60 3000x70", "0+1000x130"), 2 * time.Hour, 0},
	{"TributaryAcceptErrorsFast", "the API fails", hooks("0+1000x120", "0x120", "0+1000x120"), 2 * time.Hour, 0},
	{"TributaryAcceptErrorsSlow", "0.8 % are refused for hours", hooks("0+992x500", "0+8x500", "0+992x500"), 8 * time.Hour, 1},
	{"TributaryAcceptErrorsSlow", "0.1 % are refused", hooks("0+999x500", "0+1x500", "0+999x500"), 8 * time.Hour, 0},
	{"TributaryAcceptSlow", "a fifth takes long", hooks("0+1000x120", "0x120", "0+800x120"), 2 * time.Hour, 1},
	{"TributaryAcceptSlow", "one in a hundred takes long", hooks("0+1000x120", "0x120", "0+990x120"), 2 * time.Hour, 0},
	{"TributaryEndToEndFast", "a fifth takes long", seen("0+1000x120", "0+800x120"), 2 * time.Hour, 1},
	{"TributaryEndToEndFast", "one in twenty takes long", seen("0+1000x120", "0+950x120"), 2 * time.Hour, 0},
	{"TributaryEndToEndFast", "nothing comes", seen("5x120", "5x120"), 2 * time.Hour, 0},
	{"TributaryEndToEndSlow", "one in ten takes long for hours", seen("0+1000x500", "0+900x500"), 8 * time.Hour, 1},
	{"TributaryEndToEndSlow", "one in fifty takes long", seen("0+1000x500", "0+980x500"), 8 * time.Hour, 0},
	{"TributaryConsumerLag", "one group is behind on two partitions", `
		tributary_consumer_lag_seconds{messaging_consumer_group_name="tributary-inbox",messaging_destination_name="t",messaging_destination_partition_id="1"} 90x60
		tributary_consumer_lag_seconds{messaging_consumer_group_name="tributary-inbox",messaging_destination_name="t",messaging_destination_partition_id="2"} 100x60
		tributary_consumer_lag_seconds{messaging_consumer_group_name="tributary-routing",messaging_destination_name="t",messaging_destination_partition_id="2"} 1x60`, 30 * time.Minute, 1},
	{"TributaryConsumerLag", "behind for five minutes", `
		tributary_consumer_lag_seconds{messaging_consumer_group_name="tributary-inbox",messaging_destination_name="t"} 0x10 90x5 0x60`, 30 * time.Minute, 0},
	{"TributaryDeadLetters", "one", `
		tributary_dlq_messages_total{messaging_consumer_group_name="tributary-inbox",reason="poison"} 0x20 1x60
		tributary_dlq_messages_total{messaging_consumer_group_name="tributary-inbox",reason="exhausted"} 0x80`, 25 * time.Minute, 1},
	{"TributaryDeadLetters", "one, long ago", `
		tributary_dlq_messages_total{messaging_consumer_group_name="tributary-inbox",reason="poison"} 0x20 1x90`, 80 * time.Minute, 0},
	{"TributaryDeadLettersWaiting", "since yesterday", `
		tributary_dlq_oldest_age_seconds{instance="a"} 84600+60x120
		tributary_dlq_oldest_age_seconds{instance="b"} 84600+60x120`, 2 * time.Hour, 1},
	{"TributaryDeadLettersWaiting", "since this morning", `tributary_dlq_oldest_age_seconds 7200+60x120`, 2 * time.Hour, 0},
	{"TributaryDeadLettersWaiting", "it was redriven", `tributary_dlq_oldest_age_seconds 90000+60x60 0x60`, 2 * time.Hour, 0},
	{"TributarySignatureFailures", "a secret was changed", signatures("0+30x60", "0+60x60"), 40 * time.Minute, 1},
	{"TributarySignatureFailures", "somebody tries", signatures("0+1x60", "0+1x60"), 40 * time.Minute, 0},
	{"TributarySignatureFailures", "many, and far more good ones", signatures("0+5x60", "0+1000x60"), 40 * time.Minute, 0},
	{"TributaryBreakerOpen", "two are open", `tributary_breaker_state{channel_type="line",state="open"} 0x5 2x60`, 30 * time.Minute, 1},
	{"TributaryBreakerOpen", "one was open", `tributary_breaker_state{channel_type="line",state="open"} 0x5 1x3 0x60`, 30 * time.Minute, 0},
	{"TributaryCredentialsFailing", "a token is not renewed", `
		tributary_provider_credentials_failing{channel_type="wechat",cause="renewal",instance="a"} 0x5 1x60
		tributary_provider_credentials_failing{channel_type="wechat",cause="renewal",instance="b"} 0x5 1x60
		tributary_provider_credentials_failing{channel_type="wechat",cause="denied"} 0x60`, 30 * time.Minute, 1},
	{"TributaryCredentialsFailing", "it was renewed at the second try", `tributary_provider_credentials_failing{channel_type="wechat",cause="renewal"} 0x5 1 0x60`, 30 * time.Minute, 0},
	{"TributaryCredentialsEnding", "in six days, of one type", `
		tributary_provider_credentials_left_seconds{channel_type="line",instance="a"} 518400-60x120
		tributary_provider_credentials_left_seconds{channel_type="line",instance="b"} 518400-60x120
		tributary_provider_credentials_left_seconds{channel_type="whatsapp"} 5184000-60x120`, time.Hour, 1},
	{"TributaryCredentialsEnding", "they have ended", `tributary_provider_credentials_left_seconds{channel_type="line"} -60-60x120`, time.Hour, 1},
	{"TributaryCredentialsEnding", "in eight days", `tributary_provider_credentials_left_seconds{channel_type="line"} 691200-60x120`, time.Hour, 0},
	{"TributaryCredentialsEnding", "there is a new token", `tributary_provider_credentials_left_seconds{channel_type="line"} 518400-60x30 5184000-60x60`, time.Hour, 0},
	{"TributaryWatchedChannelSilent", "one of two", `
		tributary_channel_silence_seconds{channel="ch_1",channel_type="line",instance="a"} 3000+60x90
		tributary_channel_silence_seconds{channel="ch_1",channel_type="line",instance="b"} 3060+60x90
		tributary_channel_silence_allowed_seconds{channel="ch_1",channel_type="line",instance="a"} 3600x90
		tributary_channel_silence_allowed_seconds{channel="ch_1",channel_type="line",instance="b"} 3600x90
		tributary_channel_silence_seconds{channel="ch_2",channel_type="line"} 3000+60x90
		tributary_channel_silence_allowed_seconds{channel="ch_2",channel_type="line"} 86400x90`, time.Hour, 1},
	{"TributaryWatchedChannelSilent", "one process has heard of it", `
		tributary_channel_silence_seconds{channel="ch_1",channel_type="line",instance="a"} 3000+60x90
		tributary_channel_silence_seconds{channel="ch_1",channel_type="line",instance="b"} 10x90
		tributary_channel_silence_allowed_seconds{channel="ch_1",channel_type="line"} 3600x90`, time.Hour, 0},
	{"TributaryWatchedChannelSilent", "somebody writes again", `
		tributary_channel_silence_seconds{channel="ch_1",channel_type="line"} 3700+60x40 0+60x20
		tributary_channel_silence_allowed_seconds{channel="ch_1",channel_type="line"} 3600x90`, time.Hour, 0},
	{"TributaryChannelSilent", "it has stopped", silent + "0+1x10200 10200x200", 10320 * time.Minute, 1},
	{"TributaryChannelSilent", "it goes on", silent + "0+1x10400", 10320 * time.Minute, 0},
	{"TributaryChannelSilent", "hardly anybody ever writes", silent + "0+0.1x10200 1020x200", 10320 * time.Minute, 0},
	{"TributaryChannelSilent", "it was new yesterday", silent + "_x9000 0+1x1200 1200x200", 10320 * time.Minute, 0},
}

// fired evaluates the rules every minute, as Prometheus does, and returns how many instances of the alert fire in the end.
func fired(t *testing.T, alert, series string, at time.Duration) int {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	loader, err := promqltest.NewLazyLoader("load 1m\n"+strings.TrimSpace(series), promqltest.LazyLoaderOpts{Parser: p})
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(loader.QueryEngine(), loader.Storage()), AppendableV2: loader.Storage(), Context: context.Background(),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: slog.New(slog.DiscardHandler), Parser: p,
	})
	groups, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, ruleFile)
	if errs != nil {
		t.Fatal(errs)
	}
	start := time.Unix(0, 0).UTC()
	began := start.Add(max(0, at-30*time.Minute)) // what holds for so long has begun before
	n, found := 0, false
	for now := began; !now.After(start.Add(at)); now = now.Add(time.Minute) {
		loader.WithSamplesTill(now, func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		})
		for _, g := range groups {
			g.Eval(loader.Context(), now)
			for _, r := range g.Rules() {
				if r.LastError() != nil {
					t.Fatalf("%s: %v", r.Name(), r.LastError())
				}
				if a, ok := r.(*rules.AlertingRule); ok && a.Name() == alert {
					found, n = true, firing(a)
				}
			}
		}
	}
	if !found {
		t.Fatalf("there is no alert %s", alert)
	}
	return n
}

func firing(a *rules.AlertingRule) (n int) {
	for _, one := range a.ActiveAlerts() {
		if one.State == rules.StateFiring {
			n++
		}
	}
	return n
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	for _, c := range cases {
		t.Run(c.alert+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			if got := fired(t, c.alert, c.series, c.at); got != c.fires {
				t.Errorf("%d fire, want %d", got, c.fires)
			}
		})
	}
}

func TestEveryAlertIsTriedAndExplained(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, part := range strings.Split(string(b), "\n## ")[1:] {
		title, body, _ := strings.Cut(part, "\n")
		sections[title] = body
	}
	for _, r := range alerts(t) {
		name := r.Name()
		yes, no := 0, 0
		for _, c := range cases {
			switch {
			case c.alert == name && c.fires > 0:
				yes++
			case c.alert == name:
				no++
			}
		}
		if yes == 0 || no == 0 {
			t.Errorf("%s: %d cases in which it fires, %d in which it does not", name, yes, no)
		}
		for _, word := range []string{"**What it means.**", "**How to look.**", "**What to do.**"} {
			if !strings.Contains(sections[name], word) {
				t.Errorf("%s: its section has no %s", name, word)
			}
		}
		if url := r.Annotations().Get("runbook_url"); !strings.HasSuffix(url, "docs/guide/alerts.md#"+strings.ToLower(name)) {
			t.Errorf("%s: run book %q", name, url)
		}
		if s := r.Labels().Get("severity"); s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", name, s)
		}
		delete(sections, name)
	}
	for name := range sections {
		if strings.HasPrefix(name, "Tributary") {
			t.Errorf("there is no alert %s", name)
		}
	}
}
