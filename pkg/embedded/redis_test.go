package embedded

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/bus/bustest"
)

func TestRedisTimePasses(t *testing.T) {
	t.Parallel()
	r, err := StartRedis(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	ask := func(cmd string) string {
		fmt.Fprintf(c, "%s\r\n", cmd)
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if got := ask("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nPX\r\n$3\r\n600"); got != "+OK" {
		t.Fatalf("SET: %s", got)
	}
	if got := ask("*2\r\n$6\r\nEXISTS\r\n$1\r\nk"); got != ":1" {
		t.Fatalf("EXISTS: %s", got)
	}
	bustest.Eventually(t, "the key does not expire", func() bool { return ask("*2\r\n$6\r\nEXISTS\r\n$1\r\nk") == ":0" })
}
