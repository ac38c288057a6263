package okta

import "encoding/json"

// covers tells that have says all that want says. What Okta adds of its own does not
// matter, nor does the difference between null, an empty list, an object of nothing else
// and nothing, nor the order of lists that are sets for Okta.
func covers(want, have any) bool {
	switch w := want.(type) {
	case nil:
		return empty(have)
	case map[string]any:
		h, _ := have.(map[string]any)
		for name, value := range w {
			if !covers(value, h[name]) {
				return false
			}
		}
		return true
	case []any:
		h, _ := have.([]any)
		return len(w) == len(h) && coversAll(w, h)
	}
	return want == have
}

// coversAll finds for each element another one that covers it.
func coversAll(want, have []any) bool {
	taken := make([]bool, len(have))
next:
	for _, w := range want {
		for i, h := range have {
			if !taken[i] && covers(w, h) {
				taken[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		// So Okta says of a property of factors, and of a condition, that is not asked for.
		return v == "OPTIONAL" || v == "ANY"
	case map[string]any:
		for _, each := range v {
			if !empty(each) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	}
	return false
}

// pruned is the object without what must not be there: to be sent.
func pruned(o object) object {
	kept := object{}
	for name, value := range o {
		switch v := value.(type) {
		case nil:
		case object:
			kept[name] = pruned(v)
		case []any:
			kept[name] = prunedList(v)
		default:
			kept[name] = value
		}
	}
	return kept
}

func prunedList(list []any) []any {
	kept := make([]any, 0, len(list))
	for _, each := range list {
		if o, is := each.(object); is {
			each = pruned(o)
		}
		kept = append(kept, each)
	}
	return kept
}

// object is a JSON object to be sent, or one that was read.
type object = map[string]any

// plain gives the object as it looks when it is read back: numbers are float64.
func plain(o object) object {
	var read object
	if err := json.Unmarshal(mustJSON(o), &read); err != nil {
		panic(err)
	}
	return read
}

// mustJSON writes what holds texts, numbers and flags only.
func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

// text gives the text under the name; "" when there is none.
func text(o object, name string) string {
	value, _ := o[name].(string)
	return value
}
