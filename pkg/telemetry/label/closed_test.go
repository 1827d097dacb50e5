package label_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/egress"
	"github.com/tributaryhq/tributary/pkg/httpapi"
	"github.com/tributaryhq/tributary/pkg/telemetry"
	"github.com/tributaryhq/tributary/pkg/telemetry/label"
	"github.com/tributaryhq/tributary/pkg/telemetry/label/labeltest"
)

// hostile are values that a stranger or a provider may choose, one more for every call.
const hostile = 50

// TestEveryLabelIsFromAClosedSet sends what strangers make up through a server and a client, and asks every metric afterwards.
func TestEveryLabelIsFromAClosedSet(t *testing.T) { //nolint:paralleltest // the meter provider is the process's
	tel, err := telemetry.Start(t.Context(), "test", "v0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tel.Stop(t.Context()) }()
	engine := httpapi.New()
	engine.Use(httpapi.Measure())
	n := 0
	engine.GET("/v1/things/:id", func(c *gin.Context) { n++; c.Status(200 + 7*n%800) })
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { n++; w.WriteHeader(200 + 7*n%800) }))
	defer provider.Close()
	client := egress.New(egress.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	defer func() { _ = client.Close() }()
	for i := range hostile {
		for _, method := range []string{"GET", fmt.Sprint("MADEUP", i), "get"} {
			for _, path := range []string{fmt.Sprint("/v1/things/", i), fmt.Sprint("/made/up/", i), fmt.Sprint("/v1/things/%2f", i)} {
				engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
			}
			req, err := http.NewRequestWithContext(t.Context(), method, provider.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = client.Do(t.Context(), egress.Call{Request: req}) // whatever becomes of it
		}
	}
	w := httptest.NewRecorder()
	tel.Metrics.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	all, err := labeltest.Read(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, series := range all {
		if wrong := series.Unknown(); wrong != nil {
			t.Errorf("%v from no closed set: %s", wrong, series)
		}
		if strings.HasPrefix(series.Name, "http_") {
			seen += len(series.Labels)
		}
	}
	if seen == 0 {
		t.Errorf("no metric of HTTP has a label: %v", all)
	}
}

func TestMethodsAndStatusesThatAreMadeUp(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{"GET": "GET", "QUERY": "_OTHER", "x-1": "_OTHER", "": "_OTHER"} {
		if got := label.Method(method); got != want {
			t.Errorf("%q: %s", method, got)
		}
	}
	for status, want := range map[int]int{200: 200, 404: 404, 477: 400, 599: 500, 600: 0, 999: 0, 0: 0, -1: 0} {
		if got := label.Status(status); got != want {
			t.Errorf("%d: %d", status, got)
		}
	}
}
