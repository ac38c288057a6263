package oktasim

// Templates gives "METHOD template" of every operation, for the contract test to
// know what it has not driven.
func Templates() []string {
	var all []string
	for _, r := range routes() {
		all = append(all, r.method+" "+r.template)
	}
	return all
}
