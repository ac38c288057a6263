package oktasim

import (
	"slices"

	"github.com/agentidentity/agent-identity-operator/internal/oktasim/shape"
)

// duration is a period of time as ISO 8601 writes it, which is not empty.
func duration() shape.Shape {
	return shape.Pattern{
		Expression: `P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?`, Want: "an ISO 8601 duration, like PT2H",
	}
}

func identifiers() shape.Shape { return shape.List{Of: shape.Text{Min: 1}} }

func peopleOfRule() shape.Shape {
	both := shape.Object{"include": identifiers(), "exclude": identifiers()}
	return shape.Object{"groups": both, "users": both}
}

func networkShape() shape.Shape {
	return shape.Object{"connection": shape.Enum{"ANYWHERE", "ZONE"}, "include": identifiers(), "exclude": identifiers()}
}

// checkRulePeople wants the groups and users that a rule names to exist. A rule that
// names nobody is for everybody.
func (o *Org) checkRulePeople(body document) error {
	const field = "conditions.people."
	for _, list := range []string{"include", "exclude"} {
		groups := body.texts("conditions", "people", "groups", list)
		if err := o.checkGroups(field+"groups."+list, groups); err != nil {
			return err
		}
		for _, id := range body.texts("conditions", "people", "users", list) {
			if _, found := o.users.get(id); !found {
				return validation(field+"users", field+"users."+list+": Invalid user id: "+id)
			}
		}
	}
	return nil
}

// checkNetwork wants the zones that are named to exist, and to be for policies. A
// network with zones must be of connection ZONE, and the other way round.
func (o *Org) checkNetwork(field string, network document) error {
	zones := slices.Concat(network.texts("include"), network.texts("exclude"))
	switch zoned := network.text("connection") == "ZONE"; {
	case len(network) > 0 && network.text("connection") == "":
		return validation(field, field+".connection: The field cannot be left blank")
	case zoned && len(zones) == 0:
		return validation(field, field+": include or exclude is required for the connection ZONE")
	case !zoned && len(zones) > 0:
		return validation(field, field+": include and exclude are for the connection ZONE only")
	}
	for _, id := range zones {
		z, found := o.zones.get(id)
		if !found || z.usage() != "POLICY" {
			return validation(field, field+": Invalid network zone id: "+id)
		}
	}
	return nil
}
