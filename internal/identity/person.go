package identity

// Person is somebody the directory knows.
type Person struct {
	ID    string
	Login string
	// Active tells that the person can sign in, or could but for a password that has
	// expired or an account that is locked.
	Active bool
}

// Roster tells who is in a role's group.
type Roster struct {
	// GroupID is the group's.
	GroupID string
	// Enrolling and Administering are the group's, too.
	Enrolling, Administering bool
	// Managed tells that the group says of itself that the role decides on it.
	Managed bool
	// Members are sorted by id, and listed only of a group that is Managed.
	Members []Person
}
