package outbound

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// resolving is a resolver that answers with what the map says when it is asked.
func resolving(t *testing.T, names map[string][]string) *net.Resolver {
	t.Helper()
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			for answerOne(far, names) == nil {
			}
		}()
		return near, nil
	}}
}

// answerOne reads a question as it is asked over a stream (RFC 1035, 4.2.2) and answers it.
func answerOne(conn io.ReadWriter, names map[string][]string) error {
	var size uint16
	if err := binary.Read(conn, binary.BigEndian, &size); err != nil {
		return err
	}
	question := make([]byte, size)
	if _, err := io.ReadFull(conn, question); err != nil {
		return err
	}
	var name strings.Builder
	at := 12
	for question[at] != 0 {
		length := int(question[at])
		name.Write(question[at+1 : at+1+length])
		name.WriteByte('.')
		at += 1 + length
	}
	end := at + 5
	kind := binary.BigEndian.Uint16(question[at+1:])
	addresses, known := names[name.String()]
	reply := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
	if !known {
		reply[3] |= 3
	}
	for _, address := range addresses {
		if kind != 1 {
			continue
		}
		reply[7]++
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, netip.MustParseAddr(address).AsSlice()...)
	}
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err
}
