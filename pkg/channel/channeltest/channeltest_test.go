package channeltest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/pkg/channel/channeltest"
)

const faultEnv = "CHANNELTEST_FAULT"

var toyOptions = []channeltest.Option{channeltest.Proof{Header: "X-Sign", Sign: toySign}, channeltest.PeerScopedIDs()}

// TestToy is what the other tests run as a process of its own, with a fault that must make it fail.
func TestToy(t *testing.T) {
	fault, ok := os.LookupEnv(faultEnv)
	if !ok {
		t.Skip("run by TestFaultsAreFound")
	}
	channeltest.Run(t, toy{fault}, toyOptions...)
}

func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for fault, says := range map[string]string{
		"":                           "PASS",
		"accepts everything":         "accepted without any proof",
		"signs nothing":              "accepted with byte 0 flipped",
		"knows one secret":           "refused while the secret is rotated",
		"takes an empty secret":      "by a channel whose secrets are empty",
		"panics":                     "panic:",
		"leaks a secret":             "the secret key stands in",
		"repeats ids across chats":   "of another peer has the same Ref",
		"merges reactions":           "different events with one id",
		"has a state":                "a second call gave another answer",
		"changes its input":          "the adapter changed its input",
		"says something else":        "want.json (-want +got)",
		"forgets the peer":           "no Peer",
		"repeats a ref":              "twice in one call",
		"claims too much":            "receives edits, but no case shows it",
		"claims an action":           `Info claims "action unsend", but no case shows it`,
		"claims too little":          "receives reactions, but Info does not say so",
		"wants another setting":      "the required more is missing",
		"stale README":               "README.md is not current",
		"variant of no channel":      "Info.Variants[0]: no channel of testdata has its settings",
		"variant without rules":      "Info.Variants[0].Send.Timeout is missing or wrong",
		"rate without setting":       "Info.Send.Rates: speed is no setting",
		"unknown items":              `the items of more are of the kind "colour"`,
		"takes no address":           "Info.Addresses is missing or wrong",
		"asks without a way":         "Info.Inbound.Profiles is missing or wrong",
		"keeps notes in a tag":       "is no fixed word",
		"keeps notes as text":        "is no JSON",
		"gives no handle":            "gives reply handles: false, and that messages take them: true",
		"gives an endless handle":    "a reply handle needs its token, uses and end",
		"leaves a place":             "Sign left {key} in the URL",
		"repeats a 5xx":              "want unknown",
		"believes any answer":        "want an error of kind unknown",
		"takes a no for a yes":       "nothing says that it was sent",
		"expands what is compressed": "bytes were allocated for a body",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			out, err := runToy(t, fault, filepath.Join("testdata", "toy"))
			if (err == nil) != (fault == "") || !strings.Contains(out, says) {
				t.Errorf("want %q, got %v\n%.3000s", says, err, out)
			}
		})
	}
}

func TestUpdateWritesWhatIsExpected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "toy"))); err != nil {
		t.Fatal(err)
	}
	if out, err := runToy(t, "says something else", dir, "-update"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := runToy(t, "says something else", dir); err != nil {
		t.Errorf("what -update wrote does not pass: %v\n%s", err, out)
	}
	if out, err := runToy(t, "", dir); err == nil {
		t.Errorf("the sound adapter passes although another answer is expected\n%s", out)
	}
}

func runToy(t *testing.T, fault, dir string, args ...string) (string, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, append([]string{"-test.run=^TestToy$"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), faultEnv+"="+fault)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
