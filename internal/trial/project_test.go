package trial_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// node is a stack of a made project.
type node struct {
	name     string   // below dev/, such as c01-03
	template string   // of templates
	needs    []string // names of others: their Arn goes into a parameter of the first, the rest are dependencies
}

// project is what a universe is made of: stacks in an order in which each comes
// after those it needs.
type project struct {
	shape  string
	nodes  []node
	groups map[string]string // config of a group below dev/, such as a region
	change string            // the stack that "one change" changes
	ends   bool              // every stack takes three seconds
}

// templates by name. Each has a parameter After for what came before, a Note to
// change without any consequence, and an output Arn.
func templates() map[string]string {
	head := "Parameters: {After: {Type: String, Default: none}, Note: {Type: String, Default: none}}\nResources:\n"
	tagged := "Tags: [{Key: after, Value: !Ref After}, {Key: note, Value: !Ref Note}]"
	all := map[string]string{
		"queue":    "  It: {Type: AWS::SQS::Queue, Properties: {" + tagged + "}}\nOutputs: {Arn: {Value: !GetAtt It.Arn}}\n",
		"network":  "  Net: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, " + tagged + "}}\n  It: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Net, CidrBlock: 10.0.1.0/24}}\nOutputs: {Arn: {Value: !Ref It}}\n",
		"security": "  It: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: !Ref After, " + tagged + "}}\nOutputs: {Arn: {Value: !GetAtt It.GroupId}}\n",
		"database": "  It: {Type: AWS::RDS::DBInstance, DeletionPolicy: Delete, Properties: {DBInstanceClass: db.t4g.micro, Engine: postgres, AllocatedStorage: '20', MasterUsername: root, ManageMasterUserPassword: true, " + tagged + "}}\nOutputs: {Arn: {Value: !GetAtt It.Endpoint.Address}}\n",
		"table":    "  It: {Type: AWS::DynamoDB::Table, DeletionPolicy: Delete, Properties: {BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: id, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}], " + tagged + "}}\nOutputs: {Arn: {Value: !GetAtt It.Arn}}\n",
		// What it hands on hangs on its parameters, so that who gets what is told apart.
		"link":    "  It: {Type: AWS::SQS::Queue, Properties: {" + tagged + "}}\n  Value: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Join ['-', [!Ref Note, !Ref After]]}}\nOutputs: {Arn: {Value: !GetAtt Value.Value}}\n",
		"service": "  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}, " + tagged + "}}\n  It: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref After}}\nOutputs: {Arn: {Value: !Ref It}}\n",
	}
	for name, text := range all {
		all[name] = head + text
	}
	return all
}

// write makes a file below dir.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// write makes the project's files.
func (p *project) write(t testing.TB, dir string) {
	t.Helper()
	write(t, dir, "config/config.yaml", "project_code: many\nproject_id: 00112233445566aa\nregion: eu-west-1\n")
	write(t, dir, "config/dev/config.yaml", "environment: {class: development}\n")
	for name, text := range templates() {
		write(t, dir, "templates/"+name+".yaml", text)
	}
	for group, text := range p.groups {
		write(t, dir, "config/dev/"+group+"/config.yaml", text)
	}
	for _, n := range p.nodes {
		n.write(t, dir, "")
	}
}

// write makes the stack's config file; note goes into a parameter unless empty.
func (n node) write(t testing.TB, dir, note string) {
	t.Helper()
	write(t, dir, "config/dev/"+n.name+".yaml", n.config(note))
}

func (n node) config(note string) string {
	text := "template: {path: " + n.template + ".yaml, type: file}\n"
	var parameters []string
	if len(n.needs) > 0 {
		parameters = append(parameters, "After: !stack_output dev/"+n.needs[0]+".yaml::Arn")
	}
	if note != "" {
		parameters = append(parameters, "Note: "+note)
	}
	if len(parameters) > 0 {
		text += "parameters:\n  " + strings.Join(parameters, "\n  ") + "\n"
	}
	if len(n.needs) > 1 {
		text += "dependencies:\n"
		for _, need := range n.needs[1:] {
			text += "  - dev/" + need + ".yaml\n"
		}
	}
	return text
}

// chains is that many chains of stacks, one after the other.
func chains(many, length int) *project {
	p := &project{shape: fmt.Sprintf("%dx%d", many, length), ends: true}
	for c := range many {
		for i := range length {
			n := node{name: fmt.Sprintf("c%03d-%04d", c, i), template: "queue"}
			if i > 0 {
				n.needs = []string{fmt.Sprintf("c%03d-%04d", c, i-1)}
			}
			p.nodes = append(p.nodes, n)
		}
	}
	p.change = fmt.Sprintf("c000-%04d", length/2)
	return p
}

// diamond is one stack, then all but two at once, then one that waits for all.
func diamond(stacks int) *project {
	p := &project{change: "a", ends: true, nodes: []node{{name: "a", template: "queue"}}}
	last := node{name: "z", template: "queue"}
	for i := range stacks - 2 {
		name := fmt.Sprintf("m%04d", i)
		p.nodes = append(p.nodes, node{name: name, template: "queue", needs: []string{"a"}})
		last.needs = append(last.needs, name)
	}
	p.nodes = append(p.nodes, last)
	return p
}

// realistic is an environment as people have them: for each team a network,
// what is in front of it, data that takes minutes to make, services that need
// both, and something on top. Durations are those of the resources' types.
func realistic(stacks int) *project {
	p := &project{}
	for team := range stacks / 10 {
		at := func(name string) string { return fmt.Sprintf("team%03d/%s", team, name) }
		add := func(name, template string, needs ...string) {
			n := node{name: at(name), template: template}
			for _, need := range needs {
				n.needs = append(n.needs, at(need))
			}
			p.nodes = append(p.nodes, n)
		}
		add("network", "network")
		add("queue", "queue")
		add("security", "security", "network")
		add("table", "table")
		add("database", "database", "security", "network")
		add("users", "service", "database", "security")
		add("orders", "service", "database", "queue", "security")
		add("search", "service", "table", "security")
		add("mail", "service", "queue")
		add("edge", "service", "users", "orders", "search")
	}
	p.change = "team000/security"
	return p
}

// world is an environment in four regions and three accounts: in each of the
// twelve, chains of ten.
func world(stacks int) *project {
	p := &project{shape: "world", ends: true, groups: map[string]string{}}
	places := 0
	for account := range 3 {
		for _, region := range []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2"} {
			group := fmt.Sprintf("a%d-%s", account+1, region)
			role := "arn:aws:iam::" + strings.Repeat(fmt.Sprint(account+1), 12) + ":role/deploy"
			p.groups[group] = "region: " + region + "\nsceptre_role: " + role + "\n"
			for i := places * stacks / 12; i < (places+1)*stacks/12; i++ {
				n := node{name: fmt.Sprintf("%s/s%04d", group, i), template: "queue"}
				if first := places * stacks / 12; (i-first)%10 != 0 {
					n.needs = []string{fmt.Sprintf("%s/s%04d", group, i-1)}
				}
				p.nodes = append(p.nodes, n)
			}
			places++
		}
	}
	p.change = p.nodes[0].name
	return p
}

// shaped makes a project by the name of its shape.
func shaped(shape string, stacks int) *project {
	var p *project
	switch shape {
	case "chain":
		p = chains(1, stacks)
	case "wide":
		p = chains(stacks, 1)
	case "diamond":
		p = diamond(stacks)
	case "real":
		p = realistic(stacks)
	case "world":
		p = world(stacks)
	default: // such as 10x30
		many, length := 0, 0
		if _, err := fmt.Sscanf(shape, "%dx%d", &many, &length); err != nil || many*length != stacks {
			panic(fmt.Sprintf("no such shape of %d stacks: %s", stacks, shape))
		}
		p = chains(many, length)
	}
	p.shape = shape
	return p
}
