package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"
)

// ping is the command "ping": whether services answer at their URLs. An answer is any but a server's own failure, since what a path
// holds differs between services; one that does not answer yet is asked again until the time is over.
func ping(ctx context.Context, s streams, args []string) error {
	within := 30 * time.Second
	_, urls, err := parse(s, "ping", args, func(fs *pflag.FlagSet) {
		fs.DurationVar(&within, "within", within, "how long to wait for all of them")
	})
	if err != nil {
		return err
	}
	if len(urls) == 0 {
		return errors.New("say: tributary ping URL…")
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var asking sync.WaitGroup
	found := make([]error, len(urls))
	lines := make([]string, len(urls))
	for i, url := range urls {
		asking.Go(func() {
			status, err := answer(ctx, url)
			if lines[i] = fmt.Sprintf("%s answers (%d)\n", url, status); err != nil {
				lines[i], found[i] = "", fmt.Errorf("%s does not answer: %w", url, err)
			}
		})
	}
	asking.Wait()
	_, err = io.WriteString(s.out, strings.Join(lines, ""))
	return errors.Join(append(found, err)...)
}

// answer asks until somebody answers, or ctx ends; then it returns what the last call that was not cut off by that ended with.
func answer(ctx context.Context, url string) (status int, err error) {
	for {
		status, failed := ask(ctx, url)
		switch {
		case failed == nil && status < http.StatusInternalServerError:
			return status, nil
		case failed == nil:
			err = fmt.Errorf("status %d", status)
		case err == nil || ctx.Err() == nil:
			err = failed
		}
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func ask(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // a redirect is an answer
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}
