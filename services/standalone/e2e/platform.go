// Package e2e drives the built binaries from outside, as one process and as separate processes that share a broker and a store.
// Its tests need BIN, the folder of the binaries; `make test-e2e` builds them and runs the tests.
package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// platform is a running Tributary, in whatever number of processes.
type platform struct {
	bin, dir string
	url      string // where everything is reached
	key      string
	separate bool
	front    *http.Server // plays the Ingress in front of separate processes: a path prefix has one owner

	mu        sync.Mutex
	processes map[string]*process
	servers   map[string]string // TRIBUTARY_… of the shared servers
	real      *real             // nil if the shared servers are a process of ours
	ports     map[string]int
	log       io.Writer
	extra     []string            // environment of all processes
	with      map[string][]string // environment of single processes, by name
	binary    map[string]string   // another binary for single processes, by name
	turn      int                 // of the replicas
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended and cmd.ProcessState tells how
}

const apiKey = "trb_e2e0000000000000_0123456789abcdef0123456789abcdef"

// services and the path prefixes they own.
var services = map[string][]string{
	"whatsapp": {"/webhooks/whatsapp"}, "facebook": {"/webhooks/facebook"}, "instagram": {"/webhooks/instagram"}, "telegram": {"/webhooks/telegram"}, "line": {"/webhooks/line"}, "wechat": {"/webhooks/wechat"}, "x": {"/webhooks/x"}, "rcs": {"/webhooks/rcs"}, "sms": {"/webhooks/sms"},
	"inbox":   {"/v1/conversations", "/v1/messages", "/v1/contacts", "/v1/attachments", "/v1/counters", "/v1/events"},
	"routing": {"/v1/queues", "/v1/skills", "/v1/agents", "/v1/routing"}, "deliverystatus": {"/v1/dead-letters", "/v1/delivery-stats"},
	"admin":     {"/v1/auth", "/v1/channel", "/v1/api-keys", "/v1/users", "/v1/tenant-settings", "/v1/organization-units", "/v1/audit-log"},
	"console":   {"/"},
	"simulator": {"/simulator"},
}

func newPlatform(bin, dir string, separate bool, log io.Writer) (*platform, error) {
	p := &platform{bin: bin, dir: dir, separate: separate, key: apiKey, processes: map[string]*process{}, ports: map[string]int{}, log: log}
	names := []string{"tributary", "tributary.admin", "broker", "redis"}
	for s := range services {
		names = append(names, s, s+".admin")
	}
	for _, n := range names {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		p.ports[n] = port
	}
	if !separate {
		p.url = fmt.Sprintf("http://127.0.0.1:%d", p.ports["tributary"])
		return p, nil
	}
	return p, p.ingress()
}

func freePort() (int, error) {
	for range 10_000 {
		port := 20_000 + int(lastPort.Add(1))%12_000 // below the ports that outgoing connections get
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no port is free")
}

// lastPort begins somewhere else in every process, so that two runs on one machine do not ask for the same ports.
var lastPort = func() *atomic.Int64 {
	n := &atomic.Int64{}
	n.Store(int64(os.Getpid()) * 97 % 12_000)
	return n
}()

// ingress routes by prefix, the longest first, to the replicas of a service in turn, and streams.
func (p *platform) ingress() error {
	mux := http.NewServeMux()
	for service, prefixes := range services {
		proxy := &httputil.ReverseProxy{FlushInterval: -1}
		proxy.Rewrite = func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", p.replica(service))})
		}
		proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
		for _, prefix := range prefixes {
			mux.Handle(prefix, proxy)
			mux.Handle(prefix+"/", proxy)
			if prefix == "/v1/channel" {
				for _, x := range []string{"/v1/channels", "/v1/channels/", "/v1/channel-types"} {
					mux.Handle(x, proxy)
				}
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.url = "http://" + l.Addr().String()
	p.front = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.front.Serve(l) }()
	return nil
}

// replica is the port of one of the running processes of a service: "inbox", "inbox.2" …
func (p *platform) replica(service string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	ports := []int{p.ports[service]}
	for name := range p.processes {
		if strings.HasPrefix(name, service+".") {
			ports = append(ports, p.ports[name])
		}
	}
	if len(ports) > 1 && p.processes[service] == nil {
		ports = ports[1:]
	}
	slices.Sort(ports)
	p.turn++
	return ports[p.turn%len(ports)]
}

func (p *platform) env(extra ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "TRIBUTARY_LOG_LEVEL=warn", "TRIBUTARY_BOOTSTRAP_API_KEY=" + p.key, "TRIBUTARY_PUBLIC_URL=" + p.url, "TRIBUTARY_EGRESS_ALLOW=127.0.0.0/8"}
	return append(append(env, p.extra...), extra...)
}

// start starts everything that is not running and waits until it is ready.
func (p *platform) start() error {
	if !p.separate {
		err := p.launch("tributary", "tributary", nil,
			fmt.Sprintf("TRIBUTARY_HTTP_ADDR=127.0.0.1:%d", p.ports["tributary"]), fmt.Sprintf("TRIBUTARY_ADMIN_ADDR=127.0.0.1:%d", p.ports["tributary.admin"]),
			"TRIBUTARY_DATA_DIR="+filepath.Join(p.dir, "data"))
		if err != nil {
			return err
		}
		return p.ready("tributary")
	}
	if err := p.startServers(); err != nil {
		return err
	}
	for s := range services {
		if err := p.startService(s, s); err != nil {
			return err
		}
	}
	for s := range services {
		if err := p.ready(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *platform) startServers() error {
	if p.running("servers") || p.real != nil {
		return nil
	}
	if outside() {
		return p.useReal()
	}
	r, w := io.Pipe()
	err := p.launch("servers", "tributary", w,
		"TRIBUTARY_DATA_DIR="+filepath.Join(p.dir, "data"), "args=servers --broker-addr 127.0.0.1:"+fmt.Sprint(p.ports["broker"])+" --redis-addr 127.0.0.1:"+fmt.Sprint(p.ports["redis"]))
	if err != nil {
		return err
	}
	p.servers = map[string]string{}
	lines := bufio.NewScanner(r)
	for len(p.servers) < 5 && lines.Scan() {
		if k, v, ok := strings.Cut(lines.Text(), "="); ok {
			p.servers[k] = v
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if len(p.servers) < 5 {
		return errors.New("the servers did not say where they are")
	}
	return nil
}

// startService starts a process of a service under a name: the service's own, or that of a replica ("inbox.2").
func (p *platform) startService(s, name string) error {
	env := []string{fmt.Sprintf("TRIBUTARY_HTTP_ADDR=127.0.0.1:%d", p.ports[name]), fmt.Sprintf("TRIBUTARY_ADMIN_ADDR=127.0.0.1:%d", p.ports[name+".admin"])}
	for k, v := range p.servers {
		env = append(env, k+"="+v)
	}
	return p.launch(name, "tributary-"+s, nil, env...)
}

func (p *platform) running(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.processes[name] != nil
}

// process is a running process by its name, nil if there is none.
func (p *platform) process(name string) *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.processes[name]
}

func (p *platform) launch(name, binary string, out io.Writer, env ...string) error {
	if p.running(name) {
		return nil
	}
	var args []string
	for _, kv := range env {
		if rest, ok := strings.CutPrefix(kv, "args="); ok {
			args = strings.Fields(rest)
		}
	}
	cmd := exec.Command(filepath.Join(p.bin, cmp.Or(p.binary[name], binary)), args...)
	cmd.Env, cmd.Dir, cmd.Stderr, cmd.Stdout = p.env(append(env, p.with[name]...)...), p.dir, p.log, out
	if out == nil {
		cmd.Stdout = io.Discard
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	p.mu.Lock()
	p.processes[name] = &process{cmd, done}
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait() // killed, mostly
		p.mu.Lock()
		delete(p.processes, name)
		p.mu.Unlock()
		close(done)
	}()
	return nil
}

func (p *platform) ready(name string) error {
	until := time.Now().Add(30 * time.Second)
	for time.Now().Before(until) {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", p.ports[name+".admin"]))
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready", name)
}

// kill ends processes with SIGKILL; without names all of them, the shared servers too.
func (p *platform) kill(names ...string) {
	p.mu.Lock()
	var waits []chan struct{}
	for name, x := range p.processes {
		if len(names) == 0 || slices.Contains(names, name) {
			_ = x.cmd.Process.Kill()
			waits = append(waits, x.done)
		}
	}
	p.mu.Unlock()
	for _, w := range waits {
		<-w
	}
}

// stop ends everything in order and returns what did not end by itself.
func (p *platform) stop() error {
	p.mu.Lock()
	all := map[string]*process{}
	for n, x := range p.processes {
		all[n] = x
	}
	p.mu.Unlock()
	var errs []error
	for _, servers := range []bool{false, true} { // whoever uses the servers goes first
		for n, x := range all {
			if (n == "servers") != servers {
				continue
			}
			_ = x.cmd.Process.Signal(os.Interrupt)
		}
		for n, x := range all {
			if (n == "servers") != servers {
				continue
			}
			select {
			case <-x.done:
			case <-time.After(30 * time.Second):
				errs = append(errs, fmt.Errorf("%s does not stop", n))
				_ = x.cmd.Process.Kill()
			}
		}
	}
	if p.front != nil {
		errs = append(errs, p.front.Close())
	}
	return errors.Join(append(errs, p.real.close())...)
}

// client gives up on an answer that takes far longer than any may.
var client = &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// refused is an answer of the API that is no success.
type refused struct {
	request string
	status  int
	body    []byte
}

func (r *refused) Error() string { return fmt.Sprintf("%s: %d: %.300s", r.request, r.status, r.body) }

// statusOf is the status of an answer that was no success, 0 if there was none.
func statusOf(err error) int {
	if r, ok := errors.AsType[*refused](err); ok {
		return r.status
	}
	return 0
}

// call makes an API call; a status of 400 and more is an error that says what was answered.
func (p *platform) call(ctx context.Context, method, path, idempotencyKey string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		return &refused{method + " " + path, resp.StatusCode, b}
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}
