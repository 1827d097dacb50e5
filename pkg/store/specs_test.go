package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	reader := Spec{Name: "agents", Facts: true}
	owner := Spec{
		Name: "agents", Expires: true, Indexes: []Index{{Name: "by_tenant", Fields: []string{"tenant"}}}, Superseded: []string{"old"},
		Search: &SearchSpec{Order: "at"},
	}
	both := Spec{Name: "agents", Facts: true, Expires: true, Indexes: owner.Indexes, Superseded: []string{"old"}, Search: owner.Search}
	other := Spec{Name: "queues"}
	for name, tt := range map[string]struct{ in, want []Spec }{
		"reader first": {[]Spec{reader, other, owner}, []Spec{both, other}},
		"owner first":  {[]Spec{owner, other, reader}, []Spec{both, other}},
		"thrice":       {[]Spec{owner, reader, owner}, []Spec{both}},
	} {
		if diff := cmp.Diff(tt.want, Merge(tt.in...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestHas: an index that holds only documents with a field serves only queries that ask for the field.
func TestHas(t *testing.T) {
	t.Parallel()
	spec := Spec{Name: "attempts", Indexes: []Index{{Name: "by_waits_for", Fields: []string{"waits_for", "at"}, Has: "waits_for"}}}
	for name, tt := range map[string]struct {
		q    Query
		want bool
	}{
		"equality and range": {Query{Where: []Eq{{"waits_for", "x"}}, Range: &Range{Field: "at", To: "y"}}, true},
		"equality and order": {Query{Where: []Eq{{"waits_for", "x"}}, Order: "at"}, true},
		"equality alone":     {Query{Where: []Eq{{"waits_for", "x"}}}, true},
		"order by it":        {Query{Order: "waits_for"}, true},
		"nothing":            {Query{}, false},
		"without it":         {Query{Where: []Eq{{"waits_for", nil}}, Order: "at"}, false},
	} {
		if _, err := spec.Plan(tt.q); (err == nil) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, ix := range map[string]Index{
		"no field of it": {Name: "a", Fields: []string{"b"}, Has: "c"},
		"and sparse":     {Name: "a", Fields: []string{"b", "c"}, Has: "b", Sparse: true},
	} {
		if err := (Spec{Name: "x", Indexes: []Index{ix}}).Check(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := (Spec{Name: "x", Indexes: []Index{{Name: "a", Fields: []string{"a"}}}, Superseded: []string{"a"}}).Check(); err == nil {
		t.Error("an index is declared and superseded")
	}
}
