package stand

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// What a pod uses is what its metrics tell.
func TestAPodIsMeasuredByItsMetrics(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `# HELP process_cpu_seconds_total Total.
process_cpu_seconds_total 1.25
process_resident_memory_bytes 6.5536e+07
tributary_consumer_lag_messages{messaging_consumer_group_name="a b",p="0"} 2
tributary_consumer_lag_messages{messaging_consumer_group_name="c",p="1"} 3
tributary_consumer_lag_seconds{p="1"} 100
`)
	}))
	t.Cleanup(s.Close)
	pod := &Process{Name: "inbox", Admin: s.URL}
	if now, _ := pod.memory(); pod.cpu() != 1250*time.Millisecond || now != 65_536_000 {
		t.Errorf("%s, %d", pod.cpu(), now)
	}
	both := &Stand{processes: []*Process{pod, pod, {Name: "gone", Admin: "http://127.0.0.1:1"}}, urls: map[string]string{"": "http://one", "inbox": "http://inbox"}}
	if both.behind() != 10 || both.CPU() != 2500*time.Millisecond {
		t.Errorf("%v behind, %s", both.behind(), both.CPU())
	}
	if both.URL("inbox") != "http://inbox" || both.URL("whatsapp") != "http://one" {
		t.Error("services are elsewhere")
	}
}
