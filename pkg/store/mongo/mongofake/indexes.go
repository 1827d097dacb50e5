package mongofake

import (
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Indexes are those of a deployment, by collection: what createIndexes asks for is there at once, and listIndexes lists it.
type Indexes map[string][]any

// Answer answers the commands about indexes; nil for every other one. [Server.Answer] takes it.
func (ix Indexes) Answer(c Command) bson.D {
	switch c.Name {
	case "listIndexes":
		listed := ix[c.Text("listIndexes")]
		if len(listed) == 0 {
			return Refused(26, "ns does not exist")
		}
		return Documents(0, listed...)
	case "createIndexes":
		models, _ := c.Body.Lookup("indexes").Array().Values()
		for _, m := range models {
			ix[c.Text("createIndexes")] = append(ix[c.Text("createIndexes")], m.Document())
		}
	}
	return nil
}

// Drop takes an index of a collection away; false if there is none of that name.
func (ix Indexes) Drop(collection, name string) bool {
	before := len(ix[collection])
	ix[collection] = slices.DeleteFunc(ix[collection], func(v any) bool {
		doc, ok := v.(bson.Raw)
		if !ok {
			return false
		}
		text, _ := doc.Lookup("name").StringValueOK()
		return text == name
	})
	return len(ix[collection]) < before
}
