package capsule

// Difference is one thing that is not as it was captured.
type Difference struct {
	What     string `json:"what"`               // such as "parameter Size", "output Url", "tag team"
	Was      string `json:"was"`                // "" where there was none, or where it is secret
	Is       string `json:"is"`                 // "" where there is none, or where it is secret
	Note     string `json:"note,omitempty"`     // such as "new id"
	Expected bool   `json:"expected,omitempty"` // comes with rebuilding: told, and no difference
}

// Equal tells whether nothing differs but what comes with rebuilding.
func Equal(differences []Difference) bool {
	for _, d := range differences {
		if !d.Expected {
			return false
		}
	}
	return true
}
