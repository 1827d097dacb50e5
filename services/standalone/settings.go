package standalone

import (
	"github.com/tributaryhq/tributary/pkg/config"
	"github.com/tributaryhq/tributary/pkg/run"
	"github.com/tributaryhq/tributary/services/all"
	"github.com/tributaryhq/tributary/services/simulator"
)

// settings are what this binary alone reads: what it keeps in the process, and its commands.
type settings struct {
	DataDir       string `key:"data_dir" default:"./tributary-data" help:"where the single binary keeps broker, store, blobs and its encryption key"`
	KafkaSync     string `key:"kafka_sync" default:"on" oneof:"on,off" help:"on: the in-process broker acknowledges a record when it is on the disk; off: when the operating system has it, which a loss of power can take away"`
	KafkaReplicas int    `key:"kafka_replicas" default:"3" min:"1" max:"32767" help:"replication factor of topics created by 'topics ensure'"`
	Demo          string `key:"demo" default:"on" oneof:"on,off" help:"on: the single binary starts with a demo tenant and the provider simulator; off: without"`
	URL           string `key:"url" help:"the process that 'simulate' asks; empty: the one that the configuration describes"`
	APIKey        string `key:"api_key" secret:"true" help:"the API key that 'simulate' uses; empty: the bootstrapped one, or the demo's in data_dir"`
}

// mine are the settings of this binary.
func mine(cfg *config.Config) *settings { return config.Of[settings](cfg) }

// Program is the configuration that every command of this binary reads: of all services, the simulator and itself. The binary is also
// started on people's own machines, where only they are to reach the admin address.
func Program() config.Program {
	p := run.Program(append(all.Services(), simulator.Service)...)
	p.Settings = append([]config.Settings{config.Declare[settings]().By("tributary")}, p.Settings...)
	p.Defaults = map[string]string{"admin_addr": "127.0.0.1:9090"}
	return p
}
