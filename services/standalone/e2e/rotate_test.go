package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheEncryptionKeyIsRotatedUnderLoad does what docs/guide/secrets.md says, step by step, while webhooks come in: at every step what is
// sealed opens, nothing is lost, and in the end the former key is needed no more and opens nothing.
func TestTheEncryptionKeyIsRotatedUnderLoad(t *testing.T) {
	each(t, func(t *test) {
		if !t.separate {
			t.Skip("one process keeps its keys in a file, and is away while it starts again")
		}
		const peer = "4915112400001"
		if s := t.post(peer, "wamid.first", "first"); s != 200 {
			t.Fatalf("webhook %d", s)
		}
		var c *conversation
		t.eventually("the conversation is there", func() bool { c = t.find(peer); return c != nil })
		told := t.tell(peer)

		former, key := t.servers["TRIBUTARY_ENCRYPTION_KEY"], make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		fresh := base64.StdEncoding.EncodeToString(key)
		t.servers["TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED"] = fresh
		t.replaceAll()
		t.answered(c.ID, "while the next key is accepted", "")
		t.servers["TRIBUTARY_ENCRYPTION_KEY"], t.servers["TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED"] = fresh, former
		t.replaceAll()
		t.answered(c.ID, "while the former key is accepted", "")
		if out, err := t.command("keys", "rotate"); err != nil || !strings.Contains(out, "done: ") {
			t.Fatalf("keys rotate: %v: %s", err, out)
		}
		delete(t.servers, "TRIBUTARY_ENCRYPTION_KEYS_ACCEPTED")
		t.replaceAll()
		t.answered(c.ID, "with the new key alone", "")

		refs := told()
		t.eventually("everything that was acknowledged is there", func() bool { return t.missing(peer, append(refs, "wamid.first")) == 0 })
		t.gapless(c.ID)
		t.healthy()
		t.servers["TRIBUTARY_ENCRYPTION_KEY"] = former
		if out, err := t.command("doctor"); err == nil || !strings.Contains(out, "FAIL  encryption key") {
			t.Errorf("the doctor takes the former key: %v: %s", err, out)
		}
		t.servers["TRIBUTARY_ENCRYPTION_KEY"] = fresh
		t.Logf("%d webhooks were acknowledged meanwhile", len(refs))
	})
}

// tell posts webhooks one after the other, each until it is acknowledged, until told is called, which returns their ids.
func (t *test) tell(peer string) (told func() []string) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan []string)
	go func() {
		var refs []string
		for ctx.Err() == nil {
			ref := fmt.Sprintf("wamid.told-%d", len(refs))
			if t.post(peer, ref, "text "+ref) == 200 {
				refs = append(refs, ref)
			}
			sleep(ctx, 20*time.Millisecond)
		}
		done <- refs
	}()
	return func() []string { stop(); return <-done }
}

// replaceAll ends each service with SIGTERM and starts it again, one by one, with the environment of now. The simulated provider stays: it
// remembers what it took.
func (t *test) replaceAll() {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(services)) {
		if name == "simulator" {
			continue
		}
		x := t.process(name)
		_ = x.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-x.done:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s does not end", name)
		}
		if err := t.startService(name, name); err != nil {
			t.Fatal(err)
		}
		if err := t.ready(name); err != nil {
			t.Fatal(err)
		}
	}
}

// command runs a command of the binary on the shared servers, or on the data directory, and returns what it printed.
func (t *test) command(args ...string) (string, error) {
	cmd := exec.CommandContext(t.Context(), filepath.Join(t.bin, "tributary"), args...)
	cmd.Dir, cmd.Env = t.dir, t.env("TRIBUTARY_DATA_DIR="+filepath.Join(t.dir, "data"))
	for k, v := range t.servers {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	out, err := cmd.Output()
	return string(out), err
}
