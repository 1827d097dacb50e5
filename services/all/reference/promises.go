package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// promised is what we promise, by number (architecture §9).
var promised = []string{
	"A webhook is answered 2xx only after everything it carried is on Kafka (acks=all), or in the spool of a channel whose provider does not retry",
	"Nothing verified is dropped: unknown types become placeholders with the raw payload; a body that cannot be parsed is journaled and can be replayed after a fix",
	"Exactly-once effect: any number of redeliveries, restarts and rebalances leave one message, one conversation, one status step",
	"The messages of a conversation keep the order in which we acknowledged them, end to end, with a gapless, final sequence",
	"At most one open conversation per thread, enforced by the store",
	"An attempt's status only moves forward; every step is kept; receipts may come early, late, twice, out of order or as watermarks",
	"A send reaches the provider at most once, unless the provider takes an idempotency key; an unknown outcome is shown as unknown and resolved by receipt, echo or a person",
	"A send that cannot succeed is refused before the provider is called, with the reason and the alternative",
	"Routing never adds a conversation to an agent at or over the limit; a hold and its decision are one write; no conversation is stuck",
	"A tenant, and with isolation on an organization unit, never sees another's data: enforced in the query",
	"Secrets are sealed at rest and never appear in logs, traces, events, ledgers, errors or API answers",
	"One dead provider, bot, agent app or noisy tenant delays nobody else",
	"SIGTERM finishes what it holds; kill -9 loses nothing that was acknowledged (an attempt that becomes unknown is not lost)",
	"The released contract (events, API) only grows",
}

var named = regexp.MustCompile(`(?m)^func (Test((?:P\d+_)+)\w+)\(`)

// promises lists the tests that carry a promise's number.
func promises(w io.Writer) error {
	tests := make(map[int][]string)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), ".."+string(filepath.Separator)))
		for _, m := range named.FindAllStringSubmatch(string(src), -1) {
			for n := range len(promised) {
				if strings.Contains(m[2], fmt.Sprintf("P%d_", n+1)) {
					tests[n] = append(tests[n], fmt.Sprintf("`%s` `%s`", dir, m[1]))
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(w, "# Promises\n\nGenerated from the names of the tests. Each promise is tested by the tests that carry its number.\n"); err != nil {
		return err
	}
	for n, text := range promised {
		slices.Sort(tests[n])
		if _, err := fmt.Fprintf(w, "\n## P%d\n\n%s.\n\n- %s\n", n+1, text, strings.Join(slices.Compact(tests[n]), "\n- ")); err != nil {
			return err
		}
	}
	return nil
}
