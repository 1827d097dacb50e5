package store

import "slices"

// Merge joins declarations of the same collection: a service that only reads a collection declares less of it than its owner.
func Merge(specs ...Spec) []Spec {
	var all []Spec
	for _, s := range specs {
		if i := slices.IndexFunc(all, func(have Spec) bool { return have.Name == s.Name }); i >= 0 {
			all[i] = all[i].Join(s)
		} else {
			all = append(all, s)
		}
	}
	return all
}

// Join returns what both declare of one collection.
func (s Spec) Join(other Spec) Spec {
	indexes := slices.Clone(s.Indexes)
	for _, ix := range other.Indexes {
		if !slices.ContainsFunc(indexes, func(have Index) bool { return have.Name == ix.Name }) {
			indexes = append(indexes, ix)
		}
	}
	s.Indexes, s.Expires, s.Facts = indexes, s.Expires || other.Expires, s.Facts || other.Facts
	s.Superseded = append(slices.Clone(s.Superseded), other.Superseded...)
	slices.Sort(s.Superseded)
	s.Superseded = slices.Compact(s.Superseded)
	if s.Search == nil {
		s.Search = other.Search
	}
	if s.Lists == nil {
		s.Lists = other.Lists
	}
	return s
}
