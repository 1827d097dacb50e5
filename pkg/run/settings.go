package run

import (
	_ "embed"
	"strings"

	"github.com/tributaryhq/tributary/pkg/config"
)

// elsewhereText lists the keys that services and the binary tributary declare, one a line. It is generated from their declarations. The
// processes of an installation may share one environment or file: a process that does not read a key of another one lets it pass, and
// a key that stands nowhere stops its start.
//
//go:embed elsewhere.txt
var elsewhereText string

func elsewhere() []string { return strings.Fields(elsewhereText) }

// Program merges the settings of services. Who reads a key is the service that declares it.
func Program(services ...Service) config.Program {
	p := config.Program{}
	for _, s := range services {
		for _, settings := range s.Settings {
			p.Settings = append(p.Settings, settings.By(s.Name))
		}
	}
	return p
}
