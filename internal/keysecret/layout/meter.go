package layout

import (
	"bytes"
	"fmt"
)

// Go's templates have no bounds of their own: `range 1000000000` turns that often, and
// a list of two twins of itself prints exponentially. So whatever could repeat or grow
// is paid for from one purse a Secret. All prices are in bytes.
const (
	// maxWork is the purse. Spent in the dearest way it lasts well under a second.
	maxWork = 8 << 20
	// costOfCall is paid for a call beside what goes in and comes out.
	costOfCall = 64
	// costOfTurn is paid for each turn of a range, and costOfCharacter for each character
	// of its body, which may be full of operations that are not calls.
	costOfTurn      = 256
	costOfCharacter = 8
	// sizeOfNumber is what a number may take when it is printed.
	sizeOfNumber = 24
)

// meter counts what the templates of one Secret do.
type meter struct{ left int }

func (m *meter) spend(amount int) error {
	m.left -= amount
	if m.left < 0 {
		return &fault{problem: "the templates do more than is allowed; let them repeat less"}
	}
	return nil
}

// turn is called at the beginning of every turn of a range with a body of so many
// characters. It prints nothing.
func (m *meter) turn(body int) (string, error) {
	return "", m.spend(costOfTurn + body*costOfCharacter)
}

// page is what one template writes.
type page struct{ bytes.Buffer }

func (p *page) Write(text []byte) (int, error) {
	if p.Len()+len(text) > MaxKeyBytes {
		return 0, &fault{problem: tooLarge()}
	}
	return p.Buffer.Write(text)
}

// within is an error when so many bytes are more than a value may have.
func within(size int) error {
	if size > MaxKeyBytes {
		return &fault{problem: tooLarge()}
	}
	return nil
}

func tooLarge() string { return fmt.Sprintf("a value is larger than %d KiB", MaxKeyBytes>>10) }

// measure is the size of what a value holds, or more than limit when that is exceeded:
// lists may share their elements, so counting on could take for ever. Values of other
// kinds than templates work with do not fit.
func measure(value any, limit int) int {
	switch value := value.(type) {
	case nil, bool, int, float64:
		return sizeOfNumber
	case string:
		return 1 + len(value)
	case []string:
		size := 1
		for i := 0; i < len(value) && size <= limit; i++ {
			size += 1 + len(value[i])
		}
		return size
	case []any:
		size := 1
		for i := 0; i < len(value) && size <= limit; i++ {
			size += measure(value[i], limit-size)
		}
		return size
	case map[string]any:
		size := 1
		for key, element := range value {
			if size > limit {
				break
			}
			size += 1 + len(key) + measure(element, limit-size)
		}
		return size
	}
	return limit + 1
}
