package stand

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Call makes an API call of a service. It comes again while it is told to be slower, and while what it needs is only starting.
func (s *Stand) Call(ctx context.Context, service, method, path string, header map[string]string, in, out any) error {
	var payload []byte
	if in != nil {
		var err error
		if payload, err = json.Marshal(in); err != nil {
			return err
		}
	}
	for {
		status, b, err := s.once(ctx, service, method, path, header, payload)
		switch {
		case err != nil:
			return err
		case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		case status >= 300:
			return fmt.Errorf("%s %s: %d: %.300s", method, path, status, b)
		case out == nil:
			return nil
		default:
			return json.Unmarshal(b, out)
		}
	}
}

func (s *Stand) once(ctx context.Context, service, method, path string, header map[string]string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL(service)+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+Key)
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// Keys makes n API keys: every caller has a quota of its own, and one of them is not enough for a benchmark.
func (s *Stand) Keys(ctx context.Context, n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		var made struct {
			Key string `json:"key"`
		}
		in := map[string]any{"name": fmt.Sprintf("bench %d", i), "scopes": []string{"conversations.read_all", "conversations.read", "conversations.send"}}
		if err := s.Call(ctx, "admin", "POST", "/v1/api-keys", nil, in, &made); err != nil {
			return nil, err
		}
		out[i] = made.Key
	}
	return out, nil
}
