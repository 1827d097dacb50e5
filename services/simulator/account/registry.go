package account

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// MaxAccounts is how many accounts there may be.
const MaxAccounts = 1000

// The reasons why an account cannot be registered.
var (
	ErrClaimed = errors.New("another tenant has this account")
	ErrFull    = errors.New("there are too many accounts")
)

// Registry is all accounts of a process.
type Registry struct {
	mu    sync.RWMutex
	order []*Account
	byID  map[string]*Account
	byKey map[string]*Account // of a provider's API
}

// Register opens an account or replaces what it is; people and script stay. The provider's id belongs to whoever came first.
func (r *Registry) Register(tenant string, c Config) (*Account, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID, r.byKey = map[string]*Account{}, map[string]*Account{}
	}
	a := r.byID[c.id()]
	if other := r.byKey[c.key()]; a != nil && a.Tenant != tenant || other != nil && other != a {
		return nil, ErrClaimed
	}
	if a != nil {
		delete(r.byKey, a.Config().key())
		a.config.Store(&c)
	} else if len(r.order) >= MaxAccounts {
		return nil, ErrFull
	} else {
		a = open(tenant, c)
		r.order, r.byID[c.id()] = append(r.order, a), a
	}
	if key := c.key(); key != "" {
		r.byKey[key] = a
	}
	return a, nil
}

// Remove takes an account away, with what it knows of its people.
func (r *Registry) Remove(a *Account) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := a.Config()
	if r.byID[c.id()] == a {
		delete(r.byID, c.id())
	}
	if r.byKey[c.key()] == a {
		delete(r.byKey, c.key())
	}
	r.order = slices.DeleteFunc(r.order, func(one *Account) bool { return one == a })
}

// Of lists a tenant's accounts in the order in which they were registered; typ empty means all types.
func (r *Registry) Of(tenant, typ string) (out []*Account) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, a := range r.order {
		if a.Tenant == tenant && (typ == "" || a.Config().Type == typ) {
			out = append(out, a)
		}
	}
	return out
}

// Find is a tenant's account by its id or its other name, nil if there is none. An empty name is the first account of that type.
func (r *Registry) Find(tenant, typ, name string) *Account {
	name = strings.TrimPrefix(name, "@")
	list := r.Of(tenant, typ)
	i := slices.IndexFunc(list, func(a *Account) bool {
		c := a.Config()
		return name == "" || strings.EqualFold(c.ID, name) || c.Also == name
	})
	if i < 0 {
		return nil
	}
	return list[i]
}

// ByID is the account of a type with the provider's id, whoever has it; nil if there is none.
func (r *Registry) ByID(typ, id string) *Account {
	return r.get(func() *Account { return r.byID[name(typ, id)] })
}

// ByKey is the account whose API has this base and this key; nil if there is none.
func (r *Registry) ByKey(base, key string) *Account {
	return r.get(func() *Account { return r.byKey[base+" "+key] })
}

// Where lists the accounts, of all tenants, for which f is true.
func (r *Registry) Where(f func(*Config) bool) (out []*Account) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, a := range r.order {
		if f(a.Config()) {
			out = append(out, a)
		}
	}
	return out
}

func (r *Registry) get(f func() *Account) *Account {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return f()
}
