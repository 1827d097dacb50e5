// Package namespace makes a part of a real Kafka cluster look like a whole cluster to its clients: tests share a cluster as if each
// had its own. It stands between clients and brokers and puts a prefix before the names of topics and groups, on the wire.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Listen opens a listener, as net.Listen does.
type Listen func(network, address string) (net.Listener, error)

// Namespace is what clients take for a cluster. It must be closed.
type Namespace struct {
	prefix string
	listen Listen
	admin  *kgo.Client // speaks to the real cluster
	life   context.Context
	end    context.CancelFunc
	tasks  sync.WaitGroup

	mu    sync.Mutex
	nodes map[int32]*node
}

// node stands for a broker.
type node struct {
	net.Listener
	target string // the broker's real address
}

// Open finds the brokers of a cluster and listens in front of each of them. The prefix must be nobody else's.
func Open(ctx context.Context, brokers []string, prefix string, listen Listen) (*Namespace, error) {
	admin, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	n := &Namespace{prefix: prefix, listen: listen, admin: admin, nodes: map[int32]*node{}}
	n.life, n.end = context.WithCancel(context.WithoutCancel(ctx))
	res, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, admin)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("namespace: %w", err), n.Close(ctx))
	}
	for _, b := range res.Brokers {
		if _, err := n.node(b.NodeID, b.Host, b.Port); err != nil {
			return nil, errors.Join(fmt.Errorf("namespace: %w", err), n.Close(ctx))
		}
	}
	return n, nil
}

// Addrs are where clients find the brokers.
func (n *Namespace) Addrs() (addrs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, x := range n.nodes {
		addrs = append(addrs, x.Addr().String())
	}
	return addrs
}

// Admin is a client of the real cluster, for what only administrators do.
func (n *Namespace) Admin() *kgo.Client { return n.admin }

// Real is the name that a topic or group has on the real cluster.
func (n *Namespace) Real(name string) string { return n.prefix + name }

// Topic is how a topic lies on the brokers.
type Topic struct{ Partitions, Replicas int }

// Topics asks the cluster for all topics of the namespace.
func (n *Namespace) Topics(ctx context.Context) (map[string]Topic, error) {
	res, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, n.admin)
	if err != nil {
		return nil, fmt.Errorf("namespace: %w", err)
	}
	all := map[string]Topic{}
	for _, t := range res.Topics {
		if name, ours := strings.CutPrefix(*t.Topic, n.prefix); ours && len(t.Partitions) > 0 {
			all[name] = Topic{len(t.Partitions), len(t.Partitions[0].Replicas)}
		}
	}
	return all, nil
}

// Close deletes the topics and groups and ends all connections.
func (n *Namespace) Close(ctx context.Context) error {
	n.end()
	n.mu.Lock()
	for _, x := range n.nodes {
		_ = x.Close() // it only ends accepting
	}
	n.mu.Unlock()
	n.tasks.Wait()
	_, err := n.Forget(ctx, func(string) bool { return true })
	err = errors.Join(n.deleteTopics(ctx), err)
	n.admin.Close()
	if err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	return nil
}

func (n *Namespace) deleteTopics(ctx context.Context) error {
	all, err := n.Topics(ctx)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 10_000
	for name := range all {
		one := kmsg.NewDeleteTopicsRequestTopic()
		one.Topic = new(n.prefix + name)
		req.Topics, req.TopicNames = append(req.Topics, one), append(req.TopicNames, *one.Topic)
	}
	if len(req.Topics) == 0 {
		return nil
	}
	_, err = req.RequestWith(ctx, n.admin)
	return err
}

// Forget deletes those groups without members that which names, and returns them; others are left to expire.
func (n *Namespace) Forget(ctx context.Context, which func(group string) bool) (forgotten []string, err error) {
	for _, shard := range n.admin.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
		list, ok := shard.Resp.(*kmsg.ListGroupsResponse)
		if shard.Err != nil || !ok {
			continue // a broker that is down
		}
		req := kmsg.NewPtrDeleteGroupsRequest()
		for _, g := range list.Groups {
			if name, ours := strings.CutPrefix(g.Group, n.prefix); ours && which(name) {
				req.Groups = append(req.Groups, g.Group)
			}
		}
		if len(req.Groups) == 0 {
			continue
		}
		res, err := req.RequestWith(ctx, n.admin)
		if err != nil {
			return forgotten, err
		}
		for _, g := range res.Groups {
			if g.ErrorCode == 0 {
				forgotten = append(forgotten, strings.TrimPrefix(g.Group, n.prefix))
			}
		}
	}
	return forgotten, nil
}

// node returns what stands for a broker, and makes it for one that was away until now.
func (n *Namespace) node(id int32, host string, port int32) (*node, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if x := n.nodes[id]; x != nil {
		return x, nil
	}
	l, err := n.listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	x := &node{Listener: l, target: net.JoinHostPort(host, fmt.Sprint(port))}
	n.nodes[id] = x
	n.tasks.Go(func() { n.accept(x) })
	return x, nil
}

func (n *Namespace) accept(x *node) {
	for {
		c, err := x.Accept()
		if err != nil {
			return // closed
		}
		n.tasks.Go(func() { n.serve(c, x.target) })
	}
}
