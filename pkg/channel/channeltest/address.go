package channeltest

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel"
	"github.com/tributaryhq/tributary/pkg/channel/address"
)

// shownAddress is what one line of inputs.txt is read as.
type shownAddress struct {
	Text   string          `json:"text"`
	Person *channel.Person `json:"person,omitempty"`
	Error  *shownError     `json:"error,omitempty"`
}

// address reads what people write to say whom to reach, one text a line.
func (r *runner) address(t *testing.T, c *golden) {
	var out []shownAddress
	for line := range strings.Lines(string(c.section(t, "inputs.txt"))) {
		s := shownAddress{Text: strings.TrimRight(line, "\n")}
		p, err := address.Read(r.adapter.Info(), c.ch.Settings, "/peer", s.Text)
		if err != nil {
			s.Error = showError("address", err)
		} else {
			s.Person = &p
			r.seen["takes addresses"] = true
		}
		out = append(out, s)
	}
	c.want(t, "want.json", pretty(t, out))
}
