package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	fastjson "github.com/go-json-experiment/json/v1"
	"github.com/tidwall/sjson"

	"github.com/tributaryhq/tributary/pkg/event"
)

// Implied is a record that a fact implies: it is inserted when the fact is applied, and being there already is as good.
type Implied struct {
	Collection string
	ID         string
	JSON       json.RawMessage
	// InOrder holds the record back until all facts before this one are published. Without it, the record is there when
	// the Update that emitted the fact returns.
	InOrder bool
}

// seal numbers the facts emitted since the document was read and makes them pending, behind what is not yet published. span is the
// one that they are committed in.
func (m *Meta) seal(published int64, now time.Time, span string) {
	was := len(m.Pending)
	m.Pending = behind(m.Pending, published)
	moved := len(m.Pending) != was
	for _, f := range m.facts {
		// Numbers start at the clock, so that they never repeat for an id that is deleted and inserted again.
		if m.FactSeq == 0 {
			m.FactSeq = now.UnixMicro()
		}
		m.FactSeq++
		f.Seq, f.Trace = m.FactSeq, cmp.Or(f.Trace, span)
		m.Pending = append(m.Pending, f)
	}
	switch {
	case len(m.Pending) == 0:
		m.PendingSince = event.Time{}
	case moved || m.PendingSince.IsZero():
		m.PendingSince = event.At(now) // a document that is always busy is not one whose writer died
	}
}

// behind returns the facts with a higher number than seq.
func behind(facts []Fact, seq int64) []Fact {
	i := 0
	for i < len(facts) && facts[i].Seq <= seq {
		i++
	}
	return slices.Clip(facts[i:])
}

// source is what an applier knows of a collection.
type source struct {
	spec    Spec
	applier *Applier
	records func(Fact) ([]Implied, error) // nil: facts imply no records
	recent  *recent
	list    func(json.RawMessage) (json.RawMessage, error) // nil: the collection has no lists
}

// implied returns for each fact the records that it implies.
func (s *source) implied(facts []Fact) ([][]Implied, error) {
	all := make([][]Implied, len(facts))
	if s.records == nil {
		return all, nil
	}
	for i, f := range facts {
		var err error
		if all[i], err = s.records(f); err != nil {
			return nil, fmt.Errorf("records of fact %d, %s: %w", f.Seq, f.Event.Type, err)
		}
	}
	return all, nil
}

// key names a document.
type key struct{ collection, id string }

// version is a document as this process wrote or read it last.
type version struct {
	source  *source
	raw     Raw
	pending []Fact
}

func (v version) key() key { return key{v.source.spec.Name, v.raw.ID} }

// last is the number of the last pending fact; 0 if there is none.
func (v version) last() int64 {
	if len(v.pending) == 0 {
		return 0
	}
	return v.pending[len(v.pending)-1].Seq
}

// versionOf reads the pending facts out of a stored document.
func versionOf(s *source, raw Raw) (version, error) {
	var m struct {
		Pending []Fact `json:"pending"`
	}
	if err := fastjson.Unmarshal(raw.JSON, &m); err != nil {
		return version{}, fmt.Errorf("%s %s: stored document: %w", s.spec.Name, raw.ID, err)
	}
	return version{source: s, raw: raw, pending: m.Pending}, nil
}

// without returns the document without the pending facts up to seq, all else as it is, also fields this binary does not know.
func (v version) without(seq int64, now event.Time) (version, error) {
	v.pending = behind(v.pending, seq)
	doc, err := []byte(v.raw.JSON), error(nil)
	if len(v.pending) == 0 {
		if doc, err = sjson.DeleteBytes(doc, "pending"); err == nil {
			doc, err = sjson.DeleteBytes(doc, "pending_since")
		}
	} else {
		var left json.RawMessage
		if left, err = encode(v.pending); err == nil {
			doc, err = sjson.SetRawBytes(doc, "pending", left)
		}
		if err == nil {
			doc, err = sjson.SetBytes(doc, "pending_since", now.String())
		}
	}
	if err != nil {
		return v, fmt.Errorf("%s %s: stored document: %w", v.source.spec.Name, v.raw.ID, err)
	}
	v.raw.JSON = doc
	return v, nil
}
