// Command reference writes the generated pages of docs/reference into the folder it is given.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/tributaryhq/tributary/pkg/auth"
	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/event"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/standalone"
)

func main() {
	dir := "docs/reference"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := collect(dir); err != nil {
		log.Fatalf("figures: %v", err)
	}
	pages := map[string]func(io.Writer) error{
		"configuration.md": standalone.Program().Reference, "../../pkg/run/elsewhere.txt": otherKeys,
		"errors.md": httpapi.Reference, "events.md": events, "permissions.md": permissions,
		"channel-types.md": channelTypes, "promises.md": promises(dir), "faults.md": faults,
		"../../services/console/reference/openapi.yaml": document,
	}
	for name, write := range pages {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// document is the API of all services.
func document(w io.Writer) error {
	paths, err := filepath.Glob("*/openapi.yaml")
	if err != nil {
		return err
	}
	docs := make([][]byte, len(paths))
	for i, path := range paths {
		if docs[i], err = os.ReadFile(path); err != nil {
			return err
		}
	}
	merged, err := httpapi.Merge(docs...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# Generated from the documents of the services (make generate).\n%s", merged)
	return err
}

// otherKeys lists the keys that are not of every process, for processes that do not read them.
func otherKeys(w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.Join(standalone.Program().Keys(), "\n"))
	return err
}

func channelTypes(w io.Writer) error {
	_, err := fmt.Fprint(w, "# Channel types\n\nGenerated from the adapters' `Info`, the same data that `GET /v1/channel-types` answers with.\n")
	for _, a := range all.Adapters() {
		_, e := fmt.Fprintf(w, "\n## %s\n\n%s", a.Info().Title, channel.Table(a.Info()))
		err = cmp.Or(err, e)
	}
	return err
}

func permissions(w io.Writer) error {
	_, err := fmt.Fprint(w, "# Permissions\n\nGenerated from `pkg/auth`. Scopes of API keys are permissions too. A tenant's custom roles may change the columns.\n\n| Permission | owner | admin | supervisor | agent |\n|---|---|---|---|---|\n")
	for _, p := range auth.All {
		line := fmt.Sprintf("| `%s` |", p)
		for _, role := range []string{"owner", "admin", "supervisor", "agent"} {
			mark := " "
			for _, has := range auth.Roles[role] {
				if has == p {
					mark = " yes "
				}
			}
			line += mark + "|"
		}
		_, e := fmt.Fprintln(w, line)
		err = cmp.Or(err, e)
	}
	return err
}

func events(w io.Writer) error {
	_, err := fmt.Fprint(w, `# Topics and events

Generated from `+"`pkg/event`"+`. Events are CloudEvents 1.0 in Kafka's binary mode with JSON data; the payloads' schemas are frozen in
`+"`pkg/event/schema/v1`"+`. A key only groups work: no correctness rests on two events of one person sharing a partition.

| Topic | Partitions on a cluster | Compacted |
|---|---|---|
`)
	sizes := map[event.Size]int{event.Keyed: 48, event.Small: 12, event.One: 1}
	for _, t := range event.Topics() {
		compacted := ""
		if t.Compacted {
			compacted = "yes"
		}
		_, e := fmt.Fprintf(w, "| `%s` | %d | %s |\n", t.Name, sizes[t.Partitions], compacted)
		err = cmp.Or(err, e)
	}
	for _, x := range event.Examples() {
		b, e := json.MarshalIndent(x.Payload, "", "  ")
		err = cmp.Or(err, e)
		_, e = fmt.Fprintf(w, "\n## %s\n\nOn `%s`.\n\n```json\n%s\n```\n", x.Type, x.Topic, b)
		err = cmp.Or(err, e)
	}
	return err
}
