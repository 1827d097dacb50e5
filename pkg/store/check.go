package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	fieldForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(\[\])?$`)
)

// Check reports what is wrong with the declaration.
func (s Spec) Check() error {
	if !nameForm.MatchString(s.Name) {
		return fmt.Errorf("collection %q: a name has 1-63 of a-z, 0-9 and _", s.Name)
	}
	seen := map[string]bool{}
	for _, ix := range s.Declared() {
		if err := ix.check(); err != nil {
			return fmt.Errorf("collection %s: index %q: %w", s.Name, ix.Name, err)
		}
		if seen[ix.Name] {
			return fmt.Errorf("collection %s: index %q is declared twice", s.Name, ix.Name)
		}
		seen[ix.Name] = true
	}
	for _, name := range s.Superseded {
		if seen[name] {
			return fmt.Errorf("collection %s: index %q is declared and superseded", s.Name, name)
		}
	}
	if s.Lists != nil {
		if err := s.checkLists(); err != nil {
			return fmt.Errorf("collection %s: lists: %w", s.Name, err)
		}
	}
	if s.Search == nil {
		return nil
	}
	for _, f := range append(slices.Clone(s.Search.Fields), s.Search.Order) {
		if !fieldForm.MatchString(f) || strings.HasSuffix(f, "[]") {
			return fmt.Errorf("collection %s: search: field %q", s.Name, f)
		}
	}
	return nil
}

func (ix Index) check() error {
	if !nameForm.MatchString(ix.Name) {
		return fmt.Errorf("a name has 1-63 of a-z, 0-9 and _")
	}
	arrays, seen := 0, map[string]bool{}
	for i, f := range ix.Fields {
		name := ix.Names()[i]
		switch {
		case !fieldForm.MatchString(f):
			return fmt.Errorf("field %q is no dotted path", f)
		case seen[name]:
			return fmt.Errorf("field %q comes twice", f)
		case name != f:
			arrays++
		}
		seen[name] = true
	}
	if arrays > 1 {
		return fmt.Errorf("more than one array")
	}
	switch {
	case ix.Sparse && len(ix.Fields) == 0:
		return fmt.Errorf("sparse without a field")
	case ix.Sparse && ix.Has != "":
		return fmt.Errorf("sparse, and has: one field decides which documents are in it")
	case ix.Has != "" && !slices.Contains(ix.Fields, ix.Has):
		return fmt.Errorf("has %q, which is none of its fields", ix.Has)
	}
	return nil
}

func (s Spec) checkLists() error {
	for i, f := range s.Lists.Orders {
		if !fieldForm.MatchString(f) || strings.ContainsAny(f, ".[]") || slices.Contains(s.Lists.Orders[:i], f) {
			return fmt.Errorf("order %q is no field of the document itself, or comes twice", f)
		}
	}
	switch {
	case len(s.Lists.Orders) == 0:
		return fmt.Errorf("no order")
	case s.Lists.Version < 1:
		return fmt.Errorf("version %d, the first is 1", s.Lists.Version)
	case s.Expires:
		return fmt.Errorf("documents that expire stand in no lists")
	}
	return nil
}
