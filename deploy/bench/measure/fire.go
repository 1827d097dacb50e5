package measure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/tributaryhq/tributary/deploy/bench/load"
	"github.com/tributaryhq/tributary/deploy/bench/report"
	"github.com/tributaryhq/tributary/deploy/bench/stand"
	"github.com/tributaryhq/tributary/deploy/bench/target"
)

// Fire puts load on a gateway that runs already, whatever it is: at a rate, or as fast as it answers.
func (b *Bench) Fire(ctx context.Context, file string, rate float64) (*report.Table, error) {
	to, err := target.Load(file)
	if err != nil {
		return nil, err
	}
	_, j, err := aim(to)
	if err != nil {
		return nil, err
	}
	t := &report.Table{Title: "Webhooks to " + to.Name, Header: []string{"conns", "accepted/s", "p50", "p95", "p99", "generator", "refused"}}
	for _, conns := range b.Conns {
		var r *load.Result
		mine := stand.Own()
		if rate > 0 {
			r, err = load.Open(ctx, j, conns, rate, b.For)
		} else {
			r, err = load.Closed(ctx, j, conns, b.Warm, b.For, func() { mine = stand.Own() })
		}
		if err != nil {
			return nil, err
		}
		t.Add(conns, r.Rate(), r.Lat.At(.5), r.Lat.At(.95), r.Lat.At(.99), each(stand.Own()-mine, r.OK), fmt.Sprint(r.Refused))
	}
	return t, nil
}

// Echo is a server that reads a body and answers 200, and does nothing else: what the machine, net/http and the generator give
// at best. It says on addr where it listens.
func Echo(ctx context.Context, addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 4<<10)
		for {
			if _, err := r.Body.Read(buf); err != nil {
				break
			}
		}
		_, _ = w.Write([]byte("ok"))
	})}
	go func() {
		<-ctx.Done()
		_ = s.Close() // the program ends
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
