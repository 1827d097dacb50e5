package mongo

import (
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/tributaryhq/tributary/pkg/store"
)

const (
	badValue     = 2
	duplicateKey = 11000
)

// ours are the codes of errors that the same command meets again, whatever the state of the deployment: what it asks for, or the
// document it brings, is refused. All other codes are the deployment's: an election, a role that was revoked, a full disk, a
// code of a version to come (https://www.mongodb.com/docs/manual/reference/error-codes/, src/mongo/base/error_codes.yml).
var ours = []int{
	badValue,
	9,     // FailedToParse
	14,    // TypeMismatch
	15,    // Overflow
	16,    // InvalidLength
	22,    // InvalidBSON
	28,    // PathNotViable
	40,    // ConflictingUpdateOperators
	52,    // DollarPrefixedFieldName
	53,    // InvalidIdField
	54,    // NotSingleValueField
	55,    // InvalidDBRef
	56,    // EmptyFieldName
	57,    // DottedFieldName
	66,    // ImmutableField
	67,    // CannotCreateIndex
	85,    // IndexOptionsConflict
	86,    // IndexKeySpecsConflict
	121,   // DocumentValidationFailure
	171,   // CannotIndexParallelArrays
	10334, // BSONObjectTooLarge
	duplicateKey,
	17280, // KeyTooLong
	17419, // the document that results from an update is too large
	17420, // the document to upsert is too large
}

// trouble classifies what lies with the deployment, the network or the caller's time, and leaves what lies with us.
func trouble(err error) error {
	var refused mongo.ServerError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused), mongo.IsTimeout(err), mongo.IsNetworkError(err), unsatisfied(err), lacksIndex(refused):
		return store.Away(err)
	}
	codes := refused.ErrorCodes()
	if len(codes) == 0 || slices.ContainsFunc(codes, func(code int) bool { return !slices.Contains(ours, code) }) {
		return store.Away(err)
	}
	return err
}

// unsatisfied reports whether the write, and all that it was compared with, is not known to be kept by a majority: until then
// nothing that the answer says holds.
func unsatisfied(err error) bool {
	var w mongo.WriteException
	return errors.As(err, &w) && w.WriteConcernError != nil
}

// lacksIndex reports whether a query names an index that is not there, or not yet: `tributary store ensure` mends it.
func lacksIndex(err mongo.ServerError) bool {
	return err.HasErrorCodeWithMessage(badValue, "hint provided does not correspond to an existing index")
}

// taken reports whether the id of an insert is taken, and known to be.
func taken(err error) bool { return mongo.IsDuplicateKeyError(err) && !unsatisfied(err) }
