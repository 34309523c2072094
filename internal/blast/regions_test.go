package blast_test

import (
	"strings"
	"testing"

	"github.com/deployer-cli/deployer/internal/blast"
	"github.com/deployer-cli/deployer/stacks"
)

// TestOtherRegions: what of another region sits on what goes refuses the break, as does
// what nobody can see there; what is of one region is no business of another.
func TestOtherRegions(t *testing.T) {
	t.Parallel()
	dev := environment("dev", stacks.Development)
	there := func(template string, resources ...string) blast.Seen {
		s := seen(dev, "dev/us", template, resources...)
		s.Live.Region, s.Live.ID = "us-east-1", strings.Replace(s.Live.ID, region, "us-east-1", 1)
		s.Live.Parameters = []stacks.LiveParameter{{Key: "P", Value: "vpc-0abc12345"}, {Key: "Q", Value: "****"}}
		return s
	}
	const head = "Parameters: {P: {Type: String}, Q: {Type: String, NoEcho: true}}\nResources:\n"
	peering := there(head+`  X: {Type: "AWS::EC2::VPCPeeringConnection", Properties: {VpcId: vpc-11111111, PeerVpcId: !Ref P}}`, "X AWS::EC2::VPCPeeringConnection pcx-0abc12345")
	hidden := there(head+`  X: {Type: "AWS::EC2::VPCPeeringConnection", Properties: {VpcId: vpc-11111111, PeerVpcId: !Ref Q}}`, "X AWS::EC2::VPCPeeringConnection pcx-0abc12345")
	subnet := there(head+`  X: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref P}}`, "X AWS::EC2::Subnet subnet-11111111")
	role := there(head+`  X: {Type: "AWS::IAM::Role", Properties: {ManagedPolicyArns: [!Ref Q]}}`, "X AWS::IAM::Role us-role")
	policy := seen(dev, "dev/policy", `Resources: {M: {Type: "AWS::IAM::ManagedPolicy"}}`, "M AWS::IAM::ManagedPolicy arn:aws:iam::333333333333:policy/m")
	hidden.Live.Parameters = []stacks.LiveParameter{{Key: "Q", Value: "****"}}
	blind := peering
	blind.Resources = blast.Known[[]stacks.Resource]{Why: "AccessDenied"}
	serving := there(head+`  X: {Type: "AWS::SQS::Queue"}`, "X AWS::SQS::Queue q")
	serving.Live.ServiceRole = "arn:aws:iam::333333333333:role/service-role-1"
	for name, c := range map[string]struct {
		target stacks.Path
		there  blast.Known[[]blast.Seen]
		why    string // "" for none
		guards string
	}{
		"named":                {"dev/network", blast.Got([]blast.Seen{peering}, nil), "dev/us in us-east-1: its X (AWS::EC2::VPCPeeringConnection) uses AWS::EC2::VPC vpc-0abc12345 of dev/network, and a break is of one region", "G9"},
		"a hidden value":       {"dev/network", blast.Got([]blast.Seen{hidden}, nil), "", ""},
		"of one region":        {"dev/network", blast.Got([]blast.Seen{subnet}, nil), "", ""},
		"worldwide and hidden": {"dev/policy", blast.Got([]blast.Seen{role}, nil), "it cannot be told whether its X (AWS::IAM::Role) uses what goes: its ManagedPolicyArns is a value that is not shown (NoEcho)", "G9"},
		"nothing crosses":      {"dev/queue", blast.Known[[]blast.Seen]{Why: "AccessDenied"}, "what the stacks of us-east-1 stand on is not known: AccessDenied", "G11"},
		"unread":               {"dev/network", blast.Known[[]blast.Seen]{Why: "AccessDenied"}, "whether anything in us-east-1 uses what goes cannot be told: AccessDenied", "G9 G11"},
		"its resources unread": {"dev/network", blast.Got([]blast.Seen{blind}, nil), "its resources: AccessDenied", "G9"},
		"a service role":       {"dev/role", blast.Got([]blast.Seen{serving}, nil), "is the service role of dev/us in us-east-1", "G11"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := good()
			f.Targets, f.Choice.Paths = []stacks.Path{c.target}, []stacks.Path{c.target}
			iam := seen(f.Environment, "dev/role", `Resources: {R: {Type: "AWS::IAM::Role"}}`, "R AWS::IAM::Role service-role-1")
			mine := policy
			f.Stacks.Value = append(f.Stacks.Value, iam, mine)
			f.Secrets["dev/role"], f.Secrets["dev/policy"] = f.Secrets["dev/queue"], f.Secrets["dev/queue"]
			if got := failed(blast.Make(f).Verdicts); len(got) > 0 {
				t.Fatalf("without another region: %v", got)
			}
			f.Elsewhere = []blast.Region{{Name: "us-east-1", Stacks: c.there, Exports: blast.Got([]blast.Export(nil), nil)}}
			if want := c.target != "dev/queue"; blast.Crossed(f) != want {
				t.Errorf("crossed: %v", !want)
			}
			p := blast.Make(f)
			if got := strings.Join(failed(p.Verdicts), " "); got != c.guards {
				t.Errorf("%q refuse, want %q", got, c.guards)
			}
			said := ""
			for _, v := range p.Verdicts {
				for _, one := range v.Findings {
					said += string(one.Stack) + ": " + one.Why + "\n"
					if one.Fix == "" {
						t.Errorf("no fix for %q", one.Why)
					}
				}
			}
			if !strings.Contains(said, c.why) {
				t.Errorf("it says %q, want %q", said, c.why)
			}
		})
	}
}
