package cluster

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
)

// collector takes traces, and notes which secret they came with.
type collector struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[r.Header.Get("X-Check")]++
}

// only waits until traces come, and fails if one does with another secret.
func (c *collector) only(s *stand, secret string) {
	s.Helper()
	c.mu.Lock()
	c.seen = map[string]int{}
	c.mu.Unlock()
	s.wait("traces with "+secret, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.seen[secret] < 10 {
			return fmt.Errorf("there are %v", c.seen)
		}
		return nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) != 1 {
		s.Errorf("traces came with %v", c.seen)
	}
}

// login signs the owner in.
func (s *stand) login(password string) (session string, err error) {
	var in struct{ Token string }
	err = s.call("POST", "/v1/auth/login", map[string]any{"email": "owner@tributary.example", "password": password}, &in)
	return in.Token, err
}

// alive reports whether a key or session is taken.
func (s *stand) alive(key string) bool {
	s.Helper()
	before := s.key
	defer func() { s.key = before }()
	s.key = key
	err := s.call("GET", "/v1/auth/me", nil, nil)
	if err != nil && !strings.Contains(err.Error(), ": 401 ") {
		s.Fatal(err)
	}
	return err == nil
}

// put writes keys of a Secret; one without a value is taken away.
func (s *stand) put(name string, values map[string]string) {
	s.Helper()
	data := map[string]any{}
	for k, v := range values {
		data[k] = base64.StdEncoding.EncodeToString([]byte(v))
		if v == "" {
			data[k] = nil
		}
	}
	b, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		s.Fatal(err)
	}
	s.kubectl("patch", "secret", name, "--type=merge", "-p", string(b))
}

func (s *stand) get(name, key string) string {
	s.Helper()
	return s.kubectl("get", "secret", name, "-o", fmt.Sprintf("go-template={{index .data %q | base64decode}}", key))
}

// redis asks the Redis of the stand, as its administrator.
func (s *stand) redis(args ...string) {
	s.Helper()
	out := s.run("redis-cli", append([]string{"-u", os.Getenv("TRIBUTARY_TEST_REDIS_URL")}, args...)...)
	if strings.HasPrefix(out, "ERR") {
		s.Fatalf("%v: %s", args, out)
	}
}

// user makes a user of Kafka or of the store; without a password the user is deleted.
func (s *stand) user(server, name string, password ...string) {
	s.Helper()
	command := strings.Fields(os.Getenv("TRIBUTARY_TEST_USERS"))
	s.run(command[0], append(append(command[1:], server, name), password...)...)
}

// restart replaces every pod, as docs/guide/kubernetes.md has it, and waits until those of before are gone.
func (s *stand) restart() {
	s.Helper()
	s.kubectl("rollout", "restart", "deployment,statefulset", "-l", "app.kubernetes.io/instance="+s.release)
	s.kubectl("rollout", "status", "deployment,statefulset", "-l", "app.kubernetes.io/instance="+s.release, "--timeout=10m")
	s.wait("pods of before to end", func() error {
		if out := s.kubectl("get", "pods", "-l", "app.kubernetes.io/instance="+s.release, "-o", "jsonpath={.items[*].metadata.deletionTimestamp}"); out != "" {
			return fmt.Errorf("some are ending since %s", out)
		}
		return nil
	})
}

// rotated replaces every secret of the release under load, as docs/guide/kubernetes.md has it.
func (s *stand) rotated(people *traffic) {
	s.Helper()
	traces := &collector{seen: map[string]int{}}
	s.kubectl("create", "secret", "generic", "collector", "--from-literal=headers=x-check=first")
	tracing := []string{"--set", "tracing.endpoint=" + s.serve(traces), "--set", "tracing.headersExistingSecret=collector"}
	if err := s.helm("upgrade", tracing...); err != nil {
		s.Fatal(err)
	}
	traces.only(s, "first")
	former, err := s.login("first-password")
	if err != nil {
		s.Fatal(err)
	}
	people.undisturbed("users of Kafka and of the store, password of Redis, headers of traces, owner's password and first API key replaced", func() {
		formerKey := s.key
		s.user("kafka", s.ns+"-second", "second-of-kafka")
		s.put("kafka", map[string]string{"username": s.ns + "-second", "password": "second-of-kafka"})
		s.user("mongo", s.ns+"-second", "second-of-mongo")
		s.put("mongodb", map[string]string{"uri": strings.Replace(s.get("mongodb", "uri"), s.ns+"-first:first-of-mongo@", s.ns+"-second:second-of-mongo@", 1)})
		s.redis("ACL", "SETUSER", s.ns, ">second-of-redis")
		s.put("redis", map[string]string{"url": strings.Replace(s.get("redis", "url"), "first-of-redis", "second-of-redis", 1)})
		s.put("collector", map[string]string{"headers": "x-check=second"})
		s.put("bootstrap", map[string]string{"admin-password": "second-password", "api-key": "trb_second0000000000_0123456789abcdef0123456789abcdef"})
		s.restart()
		s.user("kafka", s.ns+"-first")
		s.user("mongo", s.ns+"-first")
		s.redis("ACL", "SETUSER", s.ns, "<first-of-redis")
		s.redis("CLIENT", "KILL", "USER", s.ns) // all connections are made anew, with what is in the Secrets now
		s.key = s.bootstrapped()
		traces.only(s, "second")
		if _, err := s.login("first-password"); err == nil || s.alive(formerKey) || s.alive(former) || !s.alive(s.key) {
			s.Errorf("after the password and the key were replaced: the first key is alive: %t, the first session: %t, the second key: %t, the first password: %v",
				s.alive(formerKey), s.alive(former), s.alive(s.key), err)
		}
	})
	people.undisturbed("the encryption key replaced, everything sealed again", func() { s.encryption(tracing) })
}

// encryption rotates the key that seals channels' secrets and sessions.
func (s *stand) encryption(flags []string) {
	s.Helper()
	before, err := s.login("second-password")
	if err != nil {
		s.Fatal(err)
	}
	const next = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
	former := s.get("encryption", "encryption-key")
	s.put("encryption", map[string]string{"accepted": next})
	if err := s.helm("upgrade", append(flags, "--set", "encryption.acceptedKey=accepted")...); err != nil {
		s.Fatal(err)
	}
	s.put("encryption", map[string]string{"encryption-key": next, "accepted": former})
	s.restart()
	after, err := s.login("second-password")
	if err != nil {
		s.Fatal(err)
	}
	if after == before || !s.alive(before) || !s.alive(after) {
		s.Errorf("while both keys are accepted: the session of before is alive: %t, that of after: %t", s.alive(before), s.alive(after))
	}
	out := s.kubectl("exec", "deploy/tributary-admin", "--", "/usr/local/bin/tributary", "keys", "rotate", "--data-dir", "/tmp/data")
	if !strings.Contains(out, "values were sealed again") {
		s.Errorf("keys rotate: %s", out)
	}
	if err := s.helm("upgrade", append(flags, "--set", "encryption.acceptedKey=")...); err != nil {
		s.Fatal(err)
	}
	s.put("encryption", map[string]string{"accepted": ""})
	if s.alive(before) || !s.alive(after) {
		s.Errorf("without the former key: the session of before is alive: %t, that of after: %t", s.alive(before), s.alive(after))
	}
	s.Logf("the encryption key was replaced: %s; the session of before ended with the former key, that of after goes on", strings.TrimSpace(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]))
}
