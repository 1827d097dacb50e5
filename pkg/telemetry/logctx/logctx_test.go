package logctx_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/pkg/telemetry/logctx"
)

func TestWorkWithinWorkKnowsMore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if got := logctx.Of(ctx).Attrs(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	ctx = logctx.With(ctx, logctx.About{Tenant: "acme", Event: "evt_1"})
	inner := logctx.With(ctx, logctx.About{Channel: "ch_1", Event: "evt_2"})
	if got := fmt.Sprint(logctx.Of(inner).Attrs()); got != "[tenant=acme channel=ch_1 event_id=evt_2]" {
		t.Error(got)
	}
	if got := fmt.Sprint(logctx.Of(ctx).Attrs()); got != "[tenant=acme event_id=evt_1]" {
		t.Error(got)
	}
}
