package layout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// preparation walks a parsed template before it is executed. It refuses what the
// template could not do anyway, in branches too that are not taken now, and adds our
// own steps: each turn of a range is paid for, each action that writes ends in show.
type preparation struct {
	source   string
	delivery Delivery
	// mistake is the first.
	mistake *fault
}

// list walks statements. atRoot tells that the dot is the credential's fields.
func (p *preparation) list(list *parse.ListNode, atRoot bool) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.ActionNode:
			p.pipe(node.Pipe, atRoot)
			if len(node.Pipe.Decl) == 0 {
				node.Pipe.Cmds = append(node.Pipe.Cmds, command(stepShow, node.Pos))
			}
		case *parse.IfNode:
			p.branch(&node.BranchNode, atRoot, atRoot)
		case *parse.WithNode:
			p.branch(&node.BranchNode, atRoot, false)
		case *parse.RangeNode:
			step := turn(node)
			p.branch(&node.BranchNode, atRoot, false)
			node.List.Nodes = slices.Insert(node.List.Nodes, 0, step)
		case *parse.TemplateNode:
			p.refuse(node.Pos, "a template cannot call another; write the text where it belongs")
		}
	}
}

// turn is a step for the body of a range as it was written.
func turn(node *parse.RangeNode) parse.Node {
	size := len(node.List.String())
	argument := &parse.NumberNode{NodeType: parse.NodeNumber, Pos: node.Pos, IsInt: true, Int64: int64(size), Text: strconv.Itoa(size)}
	pipe := &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: node.Pos, Line: node.Line,
		Cmds: []*parse.CommandNode{command(stepTurn, node.Pos, argument)},
	}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: node.Pos, Line: node.Line, Pipe: pipe}
}

func command(function string, pos parse.Pos, arguments ...parse.Node) *parse.CommandNode {
	words := append([]parse.Node{parse.NewIdentifier(function).SetPos(pos)}, arguments...)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: words}
}

// branch walks a statement with a body; where there is else, the dot is as it was.
func (p *preparation) branch(node *parse.BranchNode, atRoot, bodyAtRoot bool) {
	p.pipe(node.Pipe, atRoot)
	p.list(node.List, bodyAtRoot)
	p.list(node.ElseList, atRoot)
}

// pipe walks expressions.
func (p *preparation) pipe(pipe *parse.PipeNode, atRoot bool) {
	for _, command := range pipe.Cmds {
		for _, argument := range command.Args {
			p.argument(argument, atRoot)
		}
	}
}

func (p *preparation) argument(node parse.Node, atRoot bool) {
	switch node := node.(type) {
	case *parse.PipeNode:
		p.pipe(node, atRoot)
	case *parse.ChainNode:
		p.argument(node.Node, atRoot)
	case *parse.FieldNode:
		if atRoot {
			p.field(node.Ident[0], node.Pos)
		}
	case *parse.VariableNode:
		if node.Ident[0] == "$" && len(node.Ident) > 1 {
			p.field(node.Ident[1], node.Pos)
		}
	}
}

// field names the field that is missing. Go would write "<no value>", or quote the key
// in an error that no one can act upon.
func (p *preparation) field(name string, pos parse.Pos) {
	names := p.delivery.names()
	if !slices.Contains(names, name) {
		p.refuse(pos, fmt.Sprintf("a key with delivery %s has no field .%.50s; it has .%s", p.delivery, name, strings.Join(names, ", .")))
	}
}

func (p *preparation) refuse(pos parse.Pos, problem string) {
	if p.mistake != nil {
		return
	}
	before := p.source[:pos]
	start := strings.LastIndex(before, "\n") + 1
	p.mistake = &fault{
		line: 1 + strings.Count(before, "\n"), column: 1 + len(before[start:]), problem: problem,
	}
}
