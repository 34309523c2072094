package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// PlanRecord says who made a plan file. Its maker stores it in a folder that
// nobody else can write to; what the file itself says of its planner is written
// by whoever has the file.
type PlanRecord struct {
	Environment string    `json:"environment"`
	Digest      string    `json:"digest"`
	Planner     Identity  `json:"planner"`
	Made        time.Time `json:"made"`
}

// Recorded tells why a plan file's word for its planners is not taken in an
// environment: it has no record, or one of somebody whom it does not name. Nil
// means that its planners are who it says. Nobody approves their own plan by
// giving it another planner and another digest.
func Recorded(records []PlanRecord, environment, digest string, planners []Identity) *Refusal {
	found := false
	for _, record := range records {
		if record.Environment != environment || record.Digest != digest {
			continue
		}
		found = true
		if !slices.ContainsFunc(planners, func(p Identity) bool { return p.ARN != "" && strings.EqualFold(p.ARN, record.Planner.ARN) }) {
			return &Refusal{
				Rule: "P6", Code: exitMismatch, What: "the plan for " + environment + " is not by the one whom it names",
				Why: fmt.Sprintf("the file says that %s made it, its record that %s did", names(planners), record.Planner.ARN),
				Tip: "do not apply this file; plan again and have that approved: deployer plan PATH --out F",
			}
		}
	}
	if found {
		return nil
	}
	return &Refusal{
		Rule: "P6", Code: exitRefused, What: "the plan for " + environment + " is not taken",
		Why: fmt.Sprintf("that %s made it stands in the file alone: no record of it is among theirs", names(planners)),
		Tip: "plan again, where the records can be written, and have that approved: deployer plan PATH --out F",
	}
}

func names(ids []Identity) string {
	var out []string
	for _, i := range ids {
		if i.ARN != "" {
			out = append(out, i.ARN)
		}
	}
	if len(out) == 0 {
		return "nobody"
	}
	return strings.Join(out, ", ")
}

// recorded is Recorded for the plan of a request.
func (r *Request) recorded(environment string) *Refusal {
	return Recorded(r.Plans, environment, r.Digest, append([]Identity{r.Planner}, r.Planners...))
}
