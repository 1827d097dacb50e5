package measure

import (
	"testing"
	"time"
)

func TestOutages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]int{"": {}, "....": {}, ".x.xx.": {3, 3, 2}, "xxxx": {4, 4, 4}, "x": {1, 1, 1}} {
		taken := make([]bool, 0, len(text))
		for _, c := range text {
			taken = append(taken, c == '.')
		}
		failed, total, longest := outages(taken)
		if got := [3]int{failed, int(total / every), int(longest / every)}; got != want || total%every != 0 || longest > total || total > time.Hour {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A release has the measurements that a cluster is asked for, each for every mode.
func TestMeasurementsOfACluster(t *testing.T) {
	t.Parallel()
	b := &Bench{}
	if err := b.OnCluster("../../cluster", "", nil); err == nil {
		t.Error("a cluster without an image was taken")
	}
	if err := b.OnCluster("../../cluster", "v1", []string{"standalone", "distributed"}); err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, m := range b.Measurements() {
		n[m.Name]++
	}
	for _, name := range []string{"install", "memory", "accept", "endtoend", "upgrade"} {
		if n[name] != 2 {
			t.Errorf("%s is there %d times", name, n[name])
		}
	}
}
