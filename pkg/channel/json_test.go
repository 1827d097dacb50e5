package channel

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFewReadsTheFirstOfAListAndNothingElse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`[]`: 0, `null`: 0, `{}`: 0, `"x"`: 0, `1`: 0, `[{"id":"a"},{"id":1}]`: 2, `[{"id":{}},7,[],{"id":"a"}]`: 4,
		"[" + strings.Repeat(`{"id":"a"},`, 5000) + `{}]`: MaxNamed,
	} {
		var got struct {
			L Few[struct {
				ID Opaque `json:"id"`
			}] `json:"l"`
			After Opaque `json:"after"`
		}
		if err := json.Unmarshal([]byte(`{"l":`+text+`,"after":"x"}`), &got); err != nil || len(got.L) != want || got.After != "x" {
			t.Errorf("%.40s: %d elements, then %q (%v); want %d", text, len(got.L), got.After, err, want)
		}
		if want == 4 && got.L[3].ID != "a" {
			t.Errorf("behind what has another shape: %+v", got.L)
		}
	}
}

func TestLenientJSONNeverSpoilsNeighbours(t *testing.T) {
	t.Parallel()
	type item struct {
		ID Opaque `json:"id"`
		N  int    `json:"n"`
	}
	var got struct {
		ID    Opaque       `json:"id"`
		At    Stamp        `json:"at"`
		Items []Item[item] `json:"items"`
		Last  string       `json:"last"`
	}
	body := `{"id":12345678901234567890,"at":"1781525000123","items":[{"id":"a\u00e9","n":1},{"id":7,"n":"no"},5,null],"last":"read"}`
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "12345678901234567890" || got.At.Time().String() != "2026-06-15T12:03:20.123Z" || got.Last != "read" {
		t.Errorf("got %+v", got)
	}
	type read struct {
		ID  Opaque
		N   int
		Raw string
		Bad bool
	}
	var items []read
	for _, i := range got.Items {
		items = append(items, read{i.V.ID, i.V.N, string(i.Raw), Malformed(i.Err)})
	}
	want := []read{{"aé", 1, `{"id":"a\u00e9","n":1}`, false}, {"7", 0, `{"id":7,"n":"no"}`, true}, {"", 0, "5", true}, {"", 0, "null", false}}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOpaqueAndStamp(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Opaque{`"x"`: "x", `""`: "", `null`: "", `-1001`: "-1001", `true`: "", `{}`: "", `["a"]`: "", `"\ud800"`: "\ufffd"} {
		got := Opaque("before")
		if err := json.Unmarshal([]byte(body), &got); err != nil || got != want && body != "null" {
			t.Errorf("%s reads as %q, %v; want %q", body, got, err, want)
		}
	}
	for body, want := range map[string]string{`1781525000`: "2026-06-15T12:03:20.000Z", `"1781525000"`: "2026-06-15T12:03:20.000Z", `0`: "", `"x"`: "", `{}`: "", `1e9`: "", `-5`: ""} {
		var got Stamp
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Time().String() != want {
			t.Errorf("%s reads as %q, %v; want %q", body, got.Time(), err, want)
		}
	}
}
