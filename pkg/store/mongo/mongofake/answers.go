package mongofake

import "go.mongodb.org/mongo-driver/v2/bson"

// Refused is a command that fails with a code.
func Refused(code int, message string) bson.D {
	return bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: int32(code)}, {Key: "errmsg", Value: message}} //nolint:gosec // error codes
}

// WriteErrors says that writes of a bulk failed, each with a code.
func WriteErrors(codes map[int]int) bson.D {
	list := bson.A{}
	for i, code := range codes {
		list = append(list, bson.D{{Key: "index", Value: int32(i)}, {Key: "code", Value: int32(code)}, {Key: "errmsg", Value: "refused"}}) //nolint:gosec // small
	}
	return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 0}, {Key: "writeErrors", Value: list}}
}

// Unsatisfied adds to an answer that too few members have the write.
func Unsatisfied(d bson.D) bson.D {
	return append(d, bson.E{Key: "writeConcernError", Value: bson.D{
		{Key: "code", Value: int32(64)}, {Key: "codeName", Value: "WriteConcernTimeout"}, {Key: "errmsg", Value: "waiting for replication timed out"},
	}})
}

// Documents is a cursor's first batch; a cursor id other than 0 says that there is more.
func Documents(cursor int64, docs ...any) bson.D {
	batch := bson.A{}
	batch = append(batch, docs...)
	return bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{
		{Key: "id", Value: cursor}, {Key: "ns", Value: "fake.things"}, {Key: "firstBatch", Value: batch},
	}}}
}
