package oktasim

import (
	"fmt"
	"net/http"
	"strconv"
)

// The control API of the System Log.

func (o *Org) controlLogs(r *http.Request) (any, error) {
	var wish struct {
		Count int `json:"count"`
		LogBatch
	}
	if err := decodeControl(r, &wish); err != nil {
		return nil, err
	}
	return struct{}{}, o.AddLogEvents(wish.Count, wish.LogBatch)
}

func (o *Org) controlLedger(r *http.Request) (any, error) {
	var numbers [2]int
	for i, name := range []string{"after", "limit"} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 0 {
			return nil, fmt.Errorf("reading %s: it must be a whole number", name)
		}
		numbers[i] = number
	}
	return o.LogLedgerAfter(numbers[0], numbers[1]), nil
}
