package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tributaryhq/tributary/pkg/bus"
	"github.com/tributaryhq/tributary/pkg/bus/bustest"
	"github.com/tributaryhq/tributary/pkg/bus/kafka"
	"github.com/tributaryhq/tributary/pkg/event"
)

const childDir = "EMBEDDED_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(cutDir); dir != "" {
		cutChild(dir)
		return
	}
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/alicebob/miniredis/v2/server.(*Server).ServeConn"))
}

// child publishes for ever and prints the number of every acknowledged record, until it is killed.
func child(dir string) {
	ctx := context.Background()
	br, err := StartBroker(ctx, dir, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	b := open(br)
	if err := b.EnsureTopics(ctx, Topics()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	first, _ := strconv.Atoi(os.Getenv("EMBEDDED_TEST_FIRST"))
	for n := first; ; n++ {
		if err := b.Publish(ctx, numbered(n)); err == nil {
			fmt.Println(n)
		}
	}
}

func open(br *Broker) bus.Bus {
	cfg := kafka.Config{Brokers: br.Addrs(), Linger: time.Millisecond, MetadataTTL: 500 * time.Millisecond, CommitEvery: 20 * time.Millisecond}
	b, err := kafka.Open(context.Background(), cfg)
	if err != nil {
		panic(err)
	}
	return b
}

func numbered(n int) event.Record {
	return event.Record{Topic: event.TopicInbound, Key: "k" + strconv.Itoa(n%7),
		Event: event.New(strconv.Itoa(n), event.MessageReceived, "test", "t1", "", event.At(time.Now()), strings.Repeat("x", 200))}
}

func TestP13_AcknowledgedRecordsSurviveKill9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acked := map[string]bool{}
	for round := range 2 {
		killed(t, dir, round*1_000_000, acked)
	}
	br := start(t, dir)
	b := open(br)
	defer func() { _ = b.Close() }()
	have := map[string]bool{}
	ends, err := b.Ends(t.Context(), event.TopicInbound)
	if err != nil {
		t.Fatal(err)
	}
	for p, end := range ends {
		for _, m := range readAll(t, b, p, end) {
			have[m.Event.ID] = true
		}
	}
	for id := range acked {
		if !have[id] {
			t.Errorf("record %s was acknowledged and is gone", id)
		}
	}
	if len(acked) < 300 {
		t.Fatalf("only %d records were acknowledged: the test shows nothing", len(acked))
	}
}

// killed runs a child until it has published for a while, and kills it.
func killed(t *testing.T, dir string, first int, acked map[string]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, "EMBEDDED_TEST_FIRST="+strconv.Itoa(first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, n := bufio.NewScanner(out), 0
	for lines.Scan() {
		acked[lines.Text()] = true
		if n++; n == 200 {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); n < 200 {
		t.Fatalf("child ended after %d records: %v", n, err)
	}
}

func readAll(t *testing.T, b bus.Bus, partition int, end int64) (all []bus.Message) {
	t.Helper()
	for next := int64(bus.Oldest); next < end; {
		ms, err := b.ReadFrom(t.Context(), event.TopicInbound, partition, next, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(ms) == 0 {
			return all
		}
		all = append(all, ms...)
		next = ms[len(ms)-1].Offset + 1
	}
	return all
}

func start(t *testing.T, dir string) *Broker {
	t.Helper()
	br, err := StartBroker(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = br.Close() })
	return br
}

func TestTrimByConsumption(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := t.Context()
	br, err := StartBroker(ctx, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	b := open(br)
	spec := []bus.TopicSpec{{Name: event.TopicInbound, Partitions: 1, Replicas: 1}} // without our retention
	if err := b.EnsureTopics(ctx, spec); err != nil {
		t.Fatal(err)
	}
	br.Reads("late", event.TopicInbound)
	for n := range 20 {
		if err := b.Publish(ctx, numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	consume(t, b, "early", 20)
	check := func(what string, wantStart, wantEnd int64) {
		t.Helper()
		if err := br.Trim(ctx); err != nil {
			t.Fatal(err)
		}
		p := br.cluster.PartitionInfo(event.TopicInbound, 0)
		if diff := cmp.Diff([]int64{wantStart, wantEnd}, []int64{p.LogStartOffset, p.HighWatermark}); diff != "" {
			t.Fatalf("%s: start and end (-want +got):\n%s", what, diff)
		}
	}
	check("a declared group has not come yet", 0, 20)
	consume(t, b, "late", 20)
	held := int64(5)
	br.Keep(event.TopicInbound, func(int) int64 { return held })
	check("a reader without a group is at 5", 5, 20)
	held = 20
	check("all have read all: the last record stays", 19, 20)
	if got := br.cluster.TopicInfo(event.TopicInbound).Configs["retention.ms"]; got == nil || *got != "-1" {
		t.Error("retention.ms is not -1")
	}
	_, _ = b.Close(), br.Close()

	br = start(t, dir)
	b = open(br)
	defer func() { _ = b.Close() }()
	if err := b.Publish(ctx, numbered(20)); err != nil {
		t.Fatal(err)
	}
	if got := consume(t, b, "early", 1); got[0] != "20" {
		t.Fatalf("after the restart the group reads %v, want only record 20", got)
	}
	if _, err := b.ReadFrom(ctx, event.TopicInbound, 0, 3, 10); !errors.Is(err, bus.ErrTrimmed) {
		t.Fatalf("read from a trimmed offset: %v", err)
	}
}

// consume reads n records with a group and commits them.
func consume(t *testing.T, b bus.Bus, group string, n int) (ids []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got atomic.Int64
	seen := make(chan string, 10*n)
	done := make(chan error, 1)
	go func() {
		done <- b.Consume(ctx, bus.Subscription{Group: group, Topics: []string{event.TopicInbound}, Handle: func(_ context.Context, m bus.Message) error {
			seen <- m.Event.ID
			got.Add(1)
			return nil
		}})
	}()
	bustest.Eventually(t, "not all records came", func() bool { return got.Load() >= int64(n) })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	close(seen)
	for id := range seen {
		ids = append(ids, id)
	}
	return ids
}

func TestUnreadTopicsAreBounded(t *testing.T) {
	t.Parallel()
	br := start(t, "")
	b := open(br)
	defer func() { _ = b.Close() }()
	ctx := t.Context()
	if err := b.EnsureTopics(ctx, Topics()); err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		r := numbered(n)
		r.Topic, r.Key = event.TopicWebhooks, "c"
		if err := b.Publish(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	size := br.cluster.PartitionInfo(event.TopicWebhooks, 0).NumBytes
	br.SetLimit(event.TopicWebhooks, Limit{Age: time.Hour, Bytes: size / 2})
	if err := br.Trim(ctx); err != nil {
		t.Fatal(err)
	}
	if p := br.cluster.PartitionInfo(event.TopicWebhooks, 0); p.LogStartOffset != 25 {
		t.Errorf("by size: the log starts at %d, want 25", p.LogStartOffset)
	}
	br.SetLimit(event.TopicWebhooks, Limit{Age: time.Nanosecond})
	if err := br.Trim(ctx); err != nil {
		t.Fatal(err)
	}
	if p := br.cluster.PartitionInfo(event.TopicWebhooks, 0); p.LogStartOffset != 49 {
		t.Errorf("by age: the log starts at %d, want 49", p.LogStartOffset)
	}
}

func TestBacklogIsWhatNobodyHasRead(t *testing.T) {
	t.Parallel()
	br := start(t, "")
	b := open(br)
	defer func() { _ = b.Close() }()
	ctx := t.Context()
	if err := b.EnsureTopics(ctx, Topics()); err != nil {
		t.Fatal(err)
	}
	br.Reads("g", event.TopicInbound)
	for n := range 40 {
		if err := b.Publish(ctx, numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	backlog := func() int64 {
		if err := br.Measure(ctx); err != nil {
			t.Fatal(err)
		}
		return br.Backlog(event.TopicInbound)
	}
	if got := backlog(); got < 40*200 || got > 40*600 {
		t.Errorf("nothing read: backlog is %d bytes", got)
	}
	consume(t, b, "g", 40)
	if got := backlog(); got != 0 {
		t.Errorf("all read: backlog is %d bytes", got)
	}
}

func TestOneProcessPerFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir)
	if _, err := StartBroker(t.Context(), dir, ""); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("a second broker on the same folder: %v", err)
	}
}
