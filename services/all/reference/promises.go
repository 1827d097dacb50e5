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

// promised is what we promise, by number.
var promised = []string{
	"A webhook is answered 2xx only after everything it carried is on Kafka (acks=all; the in-process broker: on the disk), or in the spool of a channel whose provider does not retry",
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

// losses is what holds for which loss in the single binary.
const losses = `
## What holds for which loss

For one process with the broker and the store in its data directory. On a cluster, Kafka's replicas (acks=all) and the store's write
concern decide.

| Lost | With TRIBUTARY_KAFKA_SYNC=on (the default) | With TRIBUTARY_KAFKA_SYNC=off |
|---|---|---|
| the process (kill -9, a panic, out of memory) | nothing that was acknowledged | nothing that was acknowledged |
| the machine (power, a kernel crash) | nothing that was acknowledged: answered webhooks and web chat frames, API calls answered 2xx, facts, results, receipts | what the operating system had not written, the last half minute or so; an ERROR at the start names topic, partition and offsets as far as the rest shows them |
| files of the broker, in part (a bad sector, a restored copy) | what the redo log has is put back, which is the newest 32 MB at least; all else is lost, and an ERROR names topic, partition and offsets | lost, and an ERROR says so as above |
| the end of the store's log | an ERROR; what customers wrote is read again from the broker as far as it is kept, what was changed through the API is lost | the same |
| the disk | everything since the last backup | the same |

In all cases: no offset below a group's commit is given to another record, so that what arrives after a loss is read.
`

var named = regexp.MustCompile(`(?m)^func (Test((?:P\d+_)+)\w+)\(`)

// carries reports whether a test's name has a promise's number.
func carries(test string, promise int) bool {
	m := named.FindStringSubmatch("func " + test + "(")
	return m != nil && slices.Contains(strings.Split(m[2], "_"), fmt.Sprintf("P%d", promise))
}

// promises writes what is promised, the tests that carry each promise's number, and what they counted in the last run.
func promises(dir string) func(io.Writer) error {
	return func(w io.Writer) error {
		run, err := counted(dir)
		if err != nil {
			return err
		}
		tests, err := tested()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, "# Promises\n\nGenerated from the names of the tests. Each promise is tested by the tests that carry its number.\n"); err != nil {
			return err
		}
		if len(run.Tests) > 0 {
			if _, err := fmt.Fprintf(w, "The figures are those of the last `make promises`: %s, commit %s, on %s.\n", run.Day, run.Commit, run.Machine); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprint(w, losses); err != nil {
			return err
		}
		for n, text := range promised {
			if _, err := fmt.Fprintf(w, "\n## P%d\n\n%s.\n\n- %s\n", n+1, text, strings.Join(tests[n], "\n- ")); err != nil {
				return err
			}
			if err := run.figures(w, n+1); err != nil {
				return err
			}
		}
		return nil
	}
}

// tested finds the tests of each promise in the sources.
func tested() (map[int][]string, error) {
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
			for n := range promised {
				if carries(m[1], n+1) {
					tests[n] = append(tests[n], fmt.Sprintf("`%s` `%s`", dir, m[1]))
				}
			}
		}
		return nil
	})
	for n := range tests {
		slices.Sort(tests[n])
		tests[n] = slices.Compact(tests[n])
	}
	return tests, err
}
