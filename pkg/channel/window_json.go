package channel

import "encoding/json"

// windowJSON is a window as it is written. Kind, For and FreeEntry say what Opens says, for readers of the time before it: none (nothing
// opens it), inbound (a customer's message, for a time), reply (a message, once and for all).
type windowJSON struct {
	Kind      string             `json:"kind"`
	For       Duration           `json:"for,omitzero"`
	FreeEntry Duration           `json:"free_entry,omitzero"`
	Opens     map[string]Opening `json:"opens,omitempty"`
	Outside   []string           `json:"outside,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (w Window) MarshalJSON() ([]byte, error) {
	out := windowJSON{Kind: "none", Opens: w.Opens, Outside: w.Outside}
	if len(w.Opens) > 0 {
		out.Kind, out.For, out.FreeEntry = "inbound", w.Opens[ByMessage].For, w.Opens[ByFreeEntry].For
	}
	if out.Kind == "inbound" && out.For == 0 {
		out.Kind = "reply"
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler. A window that was written before Opens was there is read, too.
func (w *Window) UnmarshalJSON(b []byte) error {
	var in windowJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*w = Window{Opens: in.Opens, Outside: in.Outside}
	if len(in.Opens) > 0 || in.Kind != "inbound" && in.Kind != "reply" {
		return nil
	}
	w.Opens = map[string]Opening{ByMessage: {For: in.For}}
	if in.Kind == "inbound" {
		w.Opens["call"] = Opening{For: in.For}
	}
	if in.FreeEntry > 0 {
		w.Opens[ByFreeEntry] = Opening{For: in.FreeEntry}
	}
	return nil
}
