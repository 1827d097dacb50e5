package all_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"gopkg.in/yaml.v3"

	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

// charted is what the values of the Helm chart say of a service.
type charted struct {
	Enabled *bool
	Channel bool
	Paths   struct{ Public, API []string }
	Groups  map[string]string
}

func chart(t *testing.T) map[string]charted {
	t.Helper()
	b, err := os.ReadFile("../../charts/tributary/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct{ Services map[string]charted }
	if err := yaml.Unmarshal(b, &values); err != nil {
		t.Fatal(err)
	}
	return values.Services
}

func TestTheChartHasEveryServiceAndNoOther(t *testing.T) {
	t.Parallel()
	want := []string{simulator.Service.Name}
	for _, s := range all.Services() {
		want = append(want, s.Name)
	}
	have := chart(t)
	slices.Sort(want)
	if names := slices.Sorted(maps.Keys(have)); !slices.Equal(names, want) {
		t.Errorf("services in charts/tributary/values.yaml are %q, the platform's %q", names, want)
	}
	channels := map[string]bool{}
	for _, a := range all.Adapters() {
		channels[string(a.Info().Type)] = true
	}
	for name, s := range have {
		if on := s.Enabled == nil || *s.Enabled; on == (name == simulator.Service.Name) {
			t.Errorf("services.%s.enabled is %t", name, on)
		}
		if s.Channel != channels[name] {
			t.Errorf("services.%s.channel is %t", name, s.Channel)
		}
	}
}

// own are the routes and the groups of a service that is built alone.
func own(t *testing.T, h *house, s run.Service) (paths []string, groups map[string][]string) {
	t.Helper()
	env := *h.env
	env.Service, env.Stopping = s.Name, make(chan struct{})
	parts, err := s.New(context.WithoutCancel(t.Context()), &env)
	h.ok(err)
	engine, groups := gin.New(), map[string][]string{}
	if parts.Routes != nil {
		parts.Routes(engine)
	}
	if parts.Close != nil {
		t.Cleanup(func() { h.ok(parts.Close()) })
	}
	for _, r := range engine.Routes() {
		paths = append(paths, r.Path)
	}
	for _, c := range parts.Consumers {
		groups[c.Group] = c.Topics
	}
	return paths, groups
}

func under(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") })
}

// TestTheChartExposesWhatAServiceAnswers: every route of a service lies below a prefix that the chart gives it, on the hosts where it
// belongs, and every prefix has a route.
func TestTheChartExposesWhatAServiceAnswers(t *testing.T) {
	t.Parallel()
	h, values := newHouse(t), chart(t)
	for _, s := range append(all.Services(), simulator.Service) {
		paths, groups := own(t, h, s)
		c := values[s.Name]
		for _, path := range paths {
			public := strings.HasPrefix(path, "/webhooks/") || strings.HasPrefix(path, "/chat/") || strings.HasPrefix(path, "/files/")
			if under(path, c.Paths.Public) != public {
				t.Errorf("%s serves %s, public: %t; services.%s.paths.public is %q", s.Name, path, public, s.Name, c.Paths.Public)
			}
			// The operations on channels are below the webhooks.
			if api := !public || strings.HasPrefix(path, "/webhooks/"); under(path, c.Paths.API) != api {
				t.Errorf("%s serves %s, on the API's host: %t; services.%s.paths.api is %q", s.Name, path, api, s.Name, c.Paths.API)
			}
		}
		for _, prefix := range slices.Concat(c.Paths.Public, c.Paths.API) {
			if !slices.ContainsFunc(paths, func(path string) bool { return under(path, []string{prefix}) }) {
				t.Errorf("%s serves nothing below %s", s.Name, prefix)
			}
		}
		for group, topics := range groups {
			if !slices.Contains(topics, c.Groups[group]) {
				t.Errorf("group %s of %s reads %q; services.%s.groups has %q", group, s.Name, topics, s.Name, c.Groups[group])
			}
		}
		for group := range c.Groups {
			if groups[group] == nil {
				t.Errorf("%s has no group %s", s.Name, group)
			}
		}
	}
}

// TestThePublicHostHasOneOwnerForEveryPath compares the prefixes of all services with each other: a gateway takes the longest.
func TestThePublicHostHasOneOwnerForEveryPath(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for name, s := range chart(t) {
		for _, prefix := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(s.Paths.Public, s.Paths.API)))) {
			if other, taken := owner[prefix]; taken {
				t.Errorf("%s is %s's and %s's", prefix, name, other)
			}
			owner[prefix] = name
		}
	}
	for _, typ := range event.ChannelTypes {
		if s, ok := chart(t)[string(typ)]; ok && !slices.Contains(s.Paths.Public, "/webhooks/"+string(typ)) {
			t.Errorf("webhooks of %s reach nobody", typ)
		}
	}
}
