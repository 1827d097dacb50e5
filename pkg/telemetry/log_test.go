package telemetry_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/telemetry"
)

func TestALogIsTextOnATerminalAndJSONElsewhere(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"auto": `{"time"`, "json": `{"time"`, "text": "time="} {
		var out bytes.Buffer
		telemetry.Logger(&out, format, "info").Info("x")
		if !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: %s", format, out.String())
		}
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	defer terminal.Close()
	tty := &typed{fd: terminal.Fd()}
	telemetry.Logger(tty, "auto", "info").Info("x")
	if !strings.HasPrefix(tty.String(), "time=") {
		t.Errorf("%s", tty.String())
	}
}

// typed keeps what is written to a terminal.
type typed struct {
	bytes.Buffer
	fd uintptr
}

func (t *typed) Fd() uintptr { return t.fd }
