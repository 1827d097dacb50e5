package redo

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/tributaryhq/tributary/pkg/bus"
)

// The list files groups.log and pids.log are entries: length 4, checksum 4, version 2, JSON; the length counts version and JSON
// (kfake, persist.go).
const listHead = 10

// mendEntries cuts a list file behind its last whole entry and returns the entries. The broker would append behind the damage, and
// read nothing of that at the next start.
func (m *mender) mendEntries(name string) (entries [][]byte, err error) {
	path := filepath.Join(m.dir, name)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	size := 0
	for size+listHead <= len(raw) {
		length := int64(binary.LittleEndian.Uint32(raw[size:]))
		if length < 2 || length > int64(len(raw)-size-8) {
			break
		}
		entry := raw[size : size+8+int(length)]
		if crc32.Checksum(entry[8:], castagnoli) != binary.LittleEndian.Uint32(entry[4:]) {
			break
		}
		entries, size = append(entries, entry), size+len(entry)
	}
	if size == len(raw) {
		return entries, nil
	}
	m.log.Error("a list of the broker was cut: its groups read some records again", "file", path, "cut_bytes", len(raw)-size)
	return entries, os.Truncate(path, int64(size))
}

// commit is what the broker notes of a group's commit.
type commit struct {
	Type      string `json:"type"`
	Group     string `json:"g"`
	Topic     string `json:"t"`
	Partition int32  `json:"p"`
	Offset    int64  `json:"o"`
}

// mendGroups returns the highest commit of each partition, and takes out those of groups that have to read again.
func (m *mender) mendGroups(reread func(topic string) bool) (map[Partition]int64, error) {
	entries, err := m.mendEntries("groups.log")
	if err != nil {
		return nil, err
	}
	highest := map[Partition]int64{}
	var kept []byte
	taken := 0
	for _, entry := range entries {
		var c commit
		if json.Unmarshal(entry[listHead:], &c) == nil && c.Type == "commit" {
			p := Partition{c.Topic, c.Partition}
			highest[p] = max(highest[p], c.Offset)
			if reread != nil && reread(c.Topic) {
				taken++
				continue
			}
		}
		kept = append(kept, entry...)
	}
	if taken == 0 {
		return highest, nil
	}
	return highest, replaceFile(filepath.Join(m.dir, "groups.log"), kept)
}

// topics is the broker's list of topics.
type topics struct {
	Version int     `json:"version"`
	Topics  []topic `json:"topics"`
}

type topic struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	Partitions int               `json:"partitions"`
	Replicas   int               `json:"replicas"`
	Configs    map[string]string `json:"configs,omitempty"`
}

// mendState replaces lists that cannot be read, and has the list of topics name every partition that is there: the broker refuses
// to start with the former, and would write over what the latter does not name.
func (m *mender) mendState(all map[Partition]bool) error {
	for _, name := range []string{"broker_configs.json", "acls.json", "sasl.json", "quotas.json", "seq_windows.json", "session_state.json"} {
		if err := m.dropUnreadable(name); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(m.dir, "meta.json")); err != nil || !readable(filepath.Join(m.dir, "meta.json")) {
		m.tellFile("meta.json")
		if err := replaceJSON(filepath.Join(m.dir, "meta.json"), map[string]any{"version": 1, "cluster_id": "tributary"}); err != nil {
			return err
		}
	}
	return m.mendTopics(all)
}

func (m *mender) mendTopics(all map[Partition]bool) error {
	path := filepath.Join(m.dir, "topics.json")
	list := topics{Version: 1}
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	changed := err != nil
	place := map[string]int{}
	for i, t := range list.Topics {
		place[t.Name] = i
	}
	for p := range all {
		i, ok := place[p.Topic]
		if !ok {
			i, changed = len(list.Topics), true
			place[p.Topic] = i
			list.Topics = append(list.Topics, m.newTopic(p.Topic))
		}
		if t := &list.Topics[i]; t.Partitions <= int(p.Number) {
			t.Partitions, changed = int(p.Number)+1, true
		}
	}
	if !changed {
		return nil
	}
	m.tellFile("topics.json")
	return replaceJSON(path, list)
}

func (m *mender) newTopic(name string) topic {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	spec := m.specs[name]
	return topic{
		Name: name, ID: base64.StdEncoding.EncodeToString(id[:]), Partitions: spec.Partitions, Replicas: 1, Configs: configsOf(spec),
	}
}

func configsOf(spec bus.TopicSpec) map[string]string {
	c := maps.Clone(spec.Config)
	if spec.Compacted {
		if c == nil {
			c = map[string]string{}
		}
		c["cleanup.policy"] = "compact"
	}
	return c
}

func readable(path string) bool {
	raw, err := os.ReadFile(path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && json.Valid(raw)
}

func (m *mender) dropUnreadable(name string) error {
	path := filepath.Join(m.dir, name)
	if readable(path) {
		return nil
	}
	m.tellFile(name)
	return os.Remove(path)
}

func (m *mender) tellFile(name string) {
	m.log.Error("a list of the broker was missing or cut; it was made anew", "file", filepath.Join(m.dir, name))
}
