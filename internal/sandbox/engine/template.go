package engine

import (
	"slices"
	"strings"
	"sync"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
)

// templateCache keeps parsed templates by the hash of their text. Parsing is
// pure, so the cache changes nothing but speed.
type templateCache struct {
	mu      sync.Mutex
	entries map[string]*cfntemplate.Template
}

const templatesKept = 256

func (c *templateCache) get(hash string) (*cfntemplate.Template, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.entries[hash]
	return t, ok
}

func (c *templateCache) put(hash string, t *cfntemplate.Template) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= templatesKept {
		clear(c.entries)
	}
	c.entries[hash] = t
}

// parse parses a template text, from the cache when it can.
func (s *session) parse(text string) (*cfntemplate.Template, error) {
	hash := hashText(text)
	if t, ok := s.e.templates.get(hash); ok {
		return t, nil
	}
	t, err := cfntemplate.Parse([]byte(text))
	if err != nil {
		return nil, templateError(err)
	}
	s.e.templates.put(hash, t)
	return t, nil
}

// template is the parsed template of a stored body.
func (s *session) template(hash string) (*cfntemplate.Template, error) {
	if t, ok := s.e.templates.get(hash); ok {
		return t, nil
	}
	return s.parse(s.body(hash))
}

// templateText takes a template from a request.
func (s *session) templateText(body, url string) (string, error) {
	const maxBody, maxObject = 51200, 1 << 20
	switch {
	case body == "" && url == "":
		return "", invalid("Either Template URL or Template Body must be specified.")
	case body != "" && url != "":
		return "", invalid("Template URL and Template Body cannot both be specified.")
	case len(body) > maxBody:
		return "", invalid("1 validation error detected: Value '%s' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", body, maxBody)
	case body != "":
		return body, nil
	}
	text, err := s.fetch(s.acct, url)
	if err != nil {
		return "", err
	}
	if len(text) > maxObject {
		return "", invalid("1 validation error detected: Value at 'templateURL' failed to satisfy constraint: Template may not exceed %d bytes in size.", maxObject)
	}
	return text, nil
}

// fetch reads an object that a template or policy URL names.
func (s *session) fetch(a Account, url string) (string, error) {
	if rest, ok := strings.CutPrefix(url, "s3://"); ok {
		bucket, _, _ := strings.Cut(rest, "/")
		return "", invalid("S3 error: Domain name specified in %s is not a valid S3 domain", bucket)
	}
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return "", invalid("TemplateURL must be a supported URL.")
	}
	if s.e.cfg.Fetch == nil {
		return "", invalid("S3 error: Access Denied")
	}
	text, err := s.e.cfg.Fetch(s.tx, a, url)
	if err != nil {
		return "", asRefusal(err)
	}
	return string(text), nil
}

// capabilities tells which capabilities a template needs and why.
func capabilities(t *cfntemplate.Template) (needed []string, reason string) {
	iam, named := map[string]bool{}, false
	for _, id := range t.ResourceNames {
		r := t.Resources[id]
		property, ok := iamTypes(r.Type)
		if r.Type == samPrefix+"Function" && r.Properties["Role"] == nil {
			iam["AWS::IAM::Role"] = true // the transform makes one
		}
		if !ok {
			continue
		}
		iam[r.Type] = true
		if _, has := r.Properties[property]; property != "" && has {
			named = true
		}
	}
	if len(iam) > 0 {
		types := make([]string, 0, len(iam))
		for name := range iam {
			types = append(types, name)
		}
		slices.Sort(types)
		needed = append(needed, "CAPABILITY_IAM")
		if named {
			needed[0] = "CAPABILITY_NAMED_IAM"
		}
		reason = "The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]"
	}
	if len(t.Transforms) > 0 {
		needed = append(needed, "CAPABILITY_AUTO_EXPAND")
		if reason == "" {
			reason = "The following resource(s) require capabilities: [" + strings.Join(t.Transforms, ", ") + "]"
		}
	}
	return needed, reason
}

// iamTypes tells whether a type needs an IAM capability, and which property
// gives it a name of its own.
func iamTypes(typeName string) (nameProperty string, ok bool) {
	switch typeName {
	case "AWS::IAM::Role":
		return "RoleName", true
	case "AWS::IAM::User":
		return "UserName", true
	case "AWS::IAM::Group":
		return "GroupName", true
	case "AWS::IAM::ManagedPolicy":
		return "ManagedPolicyName", true
	case "AWS::IAM::InstanceProfile":
		return "InstanceProfileName", true
	case "AWS::IAM::Policy", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition", "AWS::IAM::RolePolicy",
		"AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy":
		return "", true
	}
	return "", false
}

// checkCapabilities refuses a template that needs more than was acknowledged.
func checkCapabilities(t *cfntemplate.Template, given []string) error {
	needed, _ := capabilities(t)
	for _, c := range needed {
		ok := slices.Contains(given, c)
		if c == "CAPABILITY_IAM" {
			ok = ok || slices.Contains(given, "CAPABILITY_NAMED_IAM")
		}
		if !ok {
			return refuse(codeCapabilities, "Requires capabilities : [%s]", c)
		}
	}
	return nil
}
