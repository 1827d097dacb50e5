package namespace

import (
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// named are the fields of Kafka's messages that hold the name of a topic or a group: a string, a pointer to one, or several.
var named = map[string]bool{
	"Topic": true, "Group": true, "Groups": true, "TopicNames": true, "CoordinatorKey": true, "CoordinatorKeys": true, "ResourceName": true,
}

// ask puts the prefix before every name in a request.
func (n *Namespace) ask(req kmsg.Request) {
	walk(reflect.ValueOf(req), func(name string) string { return n.prefix + name }, nil)
}

// answer takes the prefix off, hides what is not of this namespace, and leads to the nodes of the namespace instead of brokers.
func (n *Namespace) answer(res kmsg.Response) {
	if m, ok := res.(*kmsg.MetadataResponse); ok {
		m.Topics = slices.DeleteFunc(m.Topics, func(t kmsg.MetadataResponseTopic) bool {
			return t.Topic != nil && !strings.HasPrefix(*t.Topic, n.prefix)
		})
	}
	strip := func(name string) string { return strings.TrimPrefix(name, n.prefix) }
	if f, ok := res.(*kmsg.FindCoordinatorResponse); ok {
		for i := range f.Coordinators {
			f.Coordinators[i].Key = strip(f.Coordinators[i].Key)
		}
	}
	walk(reflect.ValueOf(res), strip, n.lead)
}

// lead points an address at the node that stands for its broker.
func (n *Namespace) lead(id int32, host string, port int32) (string, int32) {
	if id < 0 || host == "" {
		return host, port
	}
	x, err := n.node(id, host, port)
	if err != nil {
		return "", 0 // no port is free: nobody may get past the namespace
	}
	h, p, _ := net.SplitHostPort(x.Addr().String()) // an address of a listener
	i, _ := strconv.Atoi(p)
	return h, int32(i)
}

// walk visits every name and every address of a message.
func walk(v reflect.Value, rename func(string) string, lead func(int32, string, int32) (string, int32)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), rename, lead)
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k != reflect.Struct && k != reflect.Pointer {
			return // records, mostly
		}
		for i := range v.Len() {
			walk(v.Index(i), rename, lead)
		}
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			switch f := t.Field(i); {
			case !f.IsExported():
			case named[f.Name] && replace(v.Field(i), rename):
			default:
				walk(v.Field(i), rename, lead)
			}
		}
		redirect(v, lead)
	}
}

// replace renames a string, a pointer to one, or several; false means that the field is none of them.
func replace(v reflect.Value, rename func(string) string) bool {
	switch x := v.Interface().(type) {
	case string:
		if x != "" {
			v.SetString(rename(x))
		}
	case *string:
		if x != nil {
			name := rename(*x)
			v.Set(reflect.ValueOf(&name))
		}
	case []string:
		for i := range x {
			x[i] = rename(x[i])
		}
	default:
		return false
	}
	return true
}

func redirect(v reflect.Value, lead func(int32, string, int32) (string, int32)) {
	id, host, port := v.FieldByName("NodeID"), v.FieldByName("Host"), v.FieldByName("Port")
	if lead == nil || !id.IsValid() || !host.IsValid() || !port.IsValid() {
		return
	}
	h, p := lead(int32(id.Int()), host.String(), int32(port.Int()))
	host.SetString(h)
	port.SetInt(int64(p))
}
