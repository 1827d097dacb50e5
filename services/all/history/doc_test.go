// Package history lives whole lives of the platform: all services in several replicas on one broker, one store and one Redis,
// customers and agents at work, and everything failing in turn. Afterwards a checker compares what was acknowledged with what
// the inbox shows. It has tests only.
package history
