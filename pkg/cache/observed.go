package cache

import (
	"context"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"

	"github.com/tributaryhq/tributary/pkg/telemetry/dbcall"
)

// observed tells OpenTelemetry of every command by its name alone: keys and values are people's.
type observed struct{ client *dbcall.Client }

var _ redis.Hook = observed{}

// DialHook implements redis.Hook.
func (observed) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (o observed) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		ctx, call := o.client.Begin(ctx, cmd.Name(), "")
		err := next(ctx, cmd)
		call.End(1, failure(err))
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (o observed) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		ctx, call := o.client.Begin(ctx, "pipeline", "")
		err := next(ctx, cmds)
		call.End(len(cmds), failure(err))
		return err
	}
}

// failure is the kind of what went wrong; what Redis itself answers, such as a script that it has not loaded yet, is an answer.
func failure(err error) string {
	if answered := redis.Error(nil); err == nil || errors.As(err, &answered) {
		return ""
	}
	return "unavailable"
}
