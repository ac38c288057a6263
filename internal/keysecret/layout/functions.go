package layout

import (
	"reflect"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// fromSprig are sprig's functions that need nothing but their arguments, change none
// of them, give the same for the same, and give no more than a small multiple of what
// they are given. Before adding one, see that it does none of these: read the clock,
// the environment, the network or chance (now, env, getHostByName, shuffle); make keys
// or passwords (genPrivateKey, htpasswd); repeat (repeat, until, seq); compare all
// with all (uniq, without) or match what the template brings (regexMatch); change its
// argument (set, sortAlpha); walk a map as it comes (keys, values); hide that it
// failed (b64dec, fromJson).
func fromSprig() []string {
	return []string{
		"b64enc", "quote", "squote", "toJson",
		"upper", "lower", "trim", "trimPrefix", "trimSuffix",
		"contains", "hasPrefix", "hasSuffix",
		"list", "first", "last", "rest", "initial", "has", "splitList", "dict",
		"default", "coalesce", "ternary", "empty",
	}
}

// fromGo are Go's own template functions that cost the same whatever they are given.
func fromGo() []string { return []string{"and", "or", "not", "len"} }

// The names under which our own steps stand in a parsed template. Nobody can write
// them: the parser does not know them.
const (
	stepShow = "_show"
	stepTurn = "_turn"
)

// vocabulary is what the parser knows, by name; it does not look at the values.
func vocabulary() map[string]any {
	known := map[string]any{}
	for _, name := range append(fromSprig(), fromGo()...) {
		known[name] = true
	}
	for name := range ours() {
		known[name] = true
	}
	return known
}

// functions are the vocabulary with every call paid for, and our own steps; Go's own
// are found by the template itself.
func functions(m *meter) template.FuncMap {
	theirs, guarded := sprig.TxtFuncMap(), template.FuncMap{stepTurn: m.turn, stepShow: show}
	for _, name := range fromSprig() {
		guarded[name] = m.guard(theirs[name])
	}
	for name, function := range ours() {
		guarded[name] = m.guard(function)
	}
	return guarded
}

// guard makes a function be paid for and refuse what is too large, going in or coming
// out. It keeps the signature, so that templates check and convert arguments as ever,
// but for an error at the end.
func (m *meter) guard(function any) any {
	value := reflect.ValueOf(function)
	kind := value.Type()
	in := make([]reflect.Type, kind.NumIn())
	for i := range in {
		in[i] = kind.In(i)
	}
	out := []reflect.Type{kind.Out(0), reflect.TypeFor[error]()}
	guarded := func(arguments []reflect.Value) []reflect.Value {
		result, err := m.call(value, arguments)
		if err != nil {
			return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
		}
		return []reflect.Value{result, reflect.Zero(out[1])}
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, kind.IsVariadic()), guarded).Interface()
}

func (m *meter) call(function reflect.Value, arguments []reflect.Value) (reflect.Value, error) {
	size := 0
	for _, argument := range arguments {
		size += measure(argument.Interface(), MaxKeyBytes-size)
		if err := within(size); err != nil {
			return reflect.Value{}, err
		}
	}
	if err := m.spend(costOfCall + size); err != nil {
		return reflect.Value{}, err
	}
	invoke := function.Call
	if function.Type().IsVariadic() {
		invoke = function.CallSlice
	}
	results := invoke(arguments)
	if len(results) > 1 && !results[1].IsNil() {
		return reflect.Value{}, results[1].Interface().(error)
	}
	size = measure(results[0].Interface(), MaxKeyBytes)
	if err := within(size); err != nil {
		return reflect.Value{}, err
	}
	return results[0], m.spend(size)
}
