package mongo

import (
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tributaryhq/tributary/pkg/store"
)

// unready are the codes of a server that is not, or no longer, the primary, or is shutting down: HostUnreachable,
// NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, ExceededTimeLimit, NotWritablePrimary, InterruptedAtShutdown,
// InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary (MongoDB's error_codes.yml).
var unready = []int{6, 89, 91, 189, 262, 10107, 11600, 11602, 13435, 13436}

// trouble classifies what lies with the deployment, the network or the caller's time, and leaves what lies with us: a server
// that refuses a command has understood it.
func trouble(err error) error {
	var refused mongo.ServerError
	if !errors.As(err, &refused) || mongo.IsTimeout(err) || mongo.IsNetworkError(err) ||
		refused.HasErrorLabel("RetryableWriteError") || slices.ContainsFunc(unready, refused.HasErrorCode) {
		return store.Away(err)
	}
	var w mongo.WriteException
	if errors.As(err, &w) && w.WriteConcernError != nil && len(w.WriteErrors) == 0 {
		return store.Away(err) // written, and not known to be kept by a majority
	}
	return err
}
