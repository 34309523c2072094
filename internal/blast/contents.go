package blast

import (
	"slices"
	"strings"

	"github.com/deployer-cli/deployer/internal/cfntemplate"
	"github.com/deployer-cli/deployer/internal/restype"
	"github.com/deployer-cli/deployer/stacks"
)

// Unweighed names the buckets that would be deleted and of which nobody has looked
// yet whether something is in them, sorted: Facts.Contents has the answers.
func Unweighed(f *Facts) []string {
	if f.Kind != DeleteStack {
		return nil
	}
	var out []string
	for _, u := range newWorld(f).closure().units {
		for _, m := range u.members {
			for _, r := range m.Resources.Value {
				c := f.Contents[r.PhysicalID]
				if r.Type == typeBucket && m.goes(r) && !c.Read && c.Why == "" {
					out = append(out, r.PhysicalID)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// typeBucket is the one type of which is looked whether anything is in it.
const typeBucket = "AWS::S3::Bucket"

// goes tells whether CloudFormation tries to delete a resource with its stack.
func (m *member) goes(r stacks.Resource) bool {
	return r.PhysicalID != "" && r.Status != deleted && r.Status != "DELETE_SKIPPED" && !strings.HasPrefix(m.deletionPolicy(r), retain)
}

// vacant tells whether a bucket is known to be empty: then no data is in it.
func (m *member) vacant(r stacks.Resource) bool {
	c := m.w.f.Contents[r.PhysicalID]
	return r.Type == typeBucket && c.Read && !c.Value
}

// stuck says why AWS would refuse to delete a resource, so that the deletion of its
// stack would fail half-way, and what to do; "" where nothing is known against it.
func (m *member) stuck(r stacks.Resource) (why, fix string) {
	if !restype.OnlyEmpty(r.Type) || !m.goes(r) || m.vacant(r) || m.emptied(r) {
		return "", ""
	}
	const keep = "keep it (DeletionPolicy: Retain)"
	c := m.w.f.Contents[r.PhysicalID]
	switch {
	case r.Type == "AWS::ECR::Repository":
		return "AWS deletes no repository with images in it, and whether there are any is not looked at", "set EmptyOnDelete: true in its template, or " + keep
	case r.Type != typeBucket:
		return "AWS deletes it only when it is empty, and whether it is cannot be told", keep
	case !c.Read:
		return "AWS deletes no bucket with objects in it, and whether there are any is not known: " + c.reason(), "let the caller list them (s3:ListBucketVersions), or " + keep
	}
	return "AWS deletes no bucket with objects in it, and there are some (versions and delete markers count)", "empty it first, with all versions, or " + keep
}

// emptied tells whether deleting the stack empties a resource before it is deleted:
// by a property of its own, or by the custom resource with which the CDK does it.
func (m *member) emptied(r stacks.Resource) bool {
	t := m.parsed()
	if t == nil {
		return false
	}
	if r.Type == "AWS::ECR::Repository" {
		v, err := t.Eval(t.Resources[r.LogicalID].Properties["EmptyOnDelete"], m.env)
		return err == nil && (v == true || v == "true")
	}
	for _, other := range t.Resources {
		if other.Type != "Custom::S3AutoDeleteObjects" {
			continue
		}
		if refs, _ := cfntemplate.Refs(other.Properties); slices.Contains(refs, r.LogicalID) {
			return true
		}
	}
	return false
}
