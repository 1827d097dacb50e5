package record_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain bounds the histories per test; -rapid.checks=5000 looks longer.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("20") // a number that is surely valid
	}
	os.Exit(m.Run())
}
