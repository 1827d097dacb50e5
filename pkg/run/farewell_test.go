package run

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/pkg/config"
)

// A client that keeps its connection and calls all the time is told to make another one while the process still takes connections.
func TestKeptConnectionsAreGivenUpBeforeTheListenerEnds(t *testing.T) {
	t.Parallel()
	s := Service{Name: "toy", New: func(_ context.Context, env *Env) (*Parts, error) {
		return &Parts{Routes: func(r gin.IRouter) {
			r.GET("/v1/toys", func(c *gin.Context) {
				select {
				case <-env.Stopping:
					c.String(200, "the listener has ended")
				default:
					c.String(200, "open")
				}
			})
		}}, nil
	}}
	p := newProcess(t, &config.Config{ShutdownDelay: time.Second, ShutdownDrain: 10 * time.Second})
	started := make(chan struct{})
	p.Started = func() { close(started) }
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx, s) }()
	<-started
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	kept := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	told := false
	for n := 0; !told; n++ {
		resp, err := kept.Get("http://" + p.Public.Addr().String() + "/v1/toys")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if told = resp.Close; told && (n < 3 || string(body) != "open") {
			t.Errorf("call %d was told to make another connection, with %q", n, body)
		}
		if n == 2 {
			stop()
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
