// Package labeltest asks of a page of metrics whether every label has its value from a closed set, so that strangers and providers
// cannot add a series.
package labeltest

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/fault"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
)

// Series is a metric with the labels of one of its series; a histogram's buckets count as one.
type Series struct {
	Name   string
	Labels map[string]string
}

// String is the series as a page of metrics has it, with the labels in the order of their names.
func (s Series) String() string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, s.Labels[name]))
	}
	return s.Name + "{" + strings.Join(pairs, ",") + "}"
}

// Read reads a page of metrics in Prometheus's text format.
func Read(page io.Reader) ([]Series, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return nil, err
	}
	var all []Series
	for name, family := range families {
		for _, m := range family.GetMetric() {
			s := Series{Name: name, Labels: map[string]string{}}
			for _, pair := range m.GetLabel() {
				s.Labels[pair.GetName()] = pair.GetValue()
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// Unknown returns the labels that have no closed set, or a value that is not in theirs.
func (s Series) Unknown() (wrong []string) {
	for name, value := range s.Labels {
		if in := sets[name]; in == nil || !in(value) {
			wrong = append(wrong, fmt.Sprintf("%s=%q", name, value))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// sets are the closed sets by the name of the label.
var sets = map[string]func(string) bool{
	"http_request_method":       func(v string) bool { return label.Method(v) == v },
	"http_response_status_code": func(v string) bool { n, err := strconv.Atoi(v); return err == nil && label.Status(n) == n },
	"http_route":                like(`(/[a-z0-9._-]+|/~[a-z]+|/[:*][a-z_]+)*/?`), // with names of parameters, never with their values
	"error_type":                one(kinds()...),
	"channel_type":              one(types()...),
	"code":                      func(v string) bool { return label.Code(v) == v || v == label.Other },
	"status":                    one("sent", "failed", "unknown", "expired"),
	"state":                     one("open", "half-open"),
	"timer":                     one("snooze"),
	"result": one("accepted", "handshake", "unparsable", "ignored", "replayed", "forged", "unknown_channel", "too_large", "malformed",
		"overloaded", "unavailable", "spooled", "found", "absent", "elsewhere", "refused", "throttled", "failed", "dropped"),
	"cause":                              one("denied", "renewal"),
	"reason":                             one("undecodable", "poison", "exhausted"),
	"messaging_system":                   one("kafka"),
	"messaging_destination_name":         one(topics()...),
	"messaging_destination_partition_id": like(`[0-9]|[1-3][0-9]|4[0-7]`),
	"messaging_consumer_group_name":      like(`tributary(-[a-z]+)+`),
	"db_system_name":                     one("sqlite", "mongodb", "redis"),
	"db_operation_name":                  like(`[a-z]+`),           // of the store's interface, or a command of Redis
	"db_collection_name":                 like(`[a-z]+(_[a-z]+)*`), // services declare them
	"service_name":                       like(`tributary-[a-z]+`),
	"service_version":                    like(`.+`), // of the build, as the next one
	"version":                            like(`go.+`),
}

func one(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func like(pattern string) func(string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString
}

func kinds() (names []string) {
	for k := fault.Internal; k <= fault.Unknown; k++ {
		names = append(names, k.String())
	}
	return names
}

func types() (names []string) {
	for _, t := range event.ChannelTypes {
		names = append(names, string(t))
	}
	return names
}

func topics() (names []string) {
	for _, t := range event.Topics() {
		names = append(names, t.Name)
	}
	return names
}
