package standalone

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

// CalledAs returns the service that a program's path names: /usr/local/bin/tributary-inbox is inbox. Images have one binary, which
// holds every service, and a link for each.
func CalledAs(path string) (run.Service, bool) {
	name, ok := strings.CutPrefix(filepath.Base(path), "tributary-")
	if !ok {
		return run.Service{}, false
	}
	services := append(all.Services(), simulator.Service)
	i := slices.IndexFunc(services, func(s run.Service) bool { return s.Name == name })
	if i < 0 {
		return run.Service{}, false
	}
	return services[i], true
}
