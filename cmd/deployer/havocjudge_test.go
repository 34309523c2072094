package main_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// portrait is a stack as it can be compared with what is made in its place.
type portrait struct {
	id    string
	same  string            // what has to come back as it was
	kept  string            // the physical id of the data that outlives the stack
	parts map[string]string // logical to physical id
}

// portray looks at a live stack; nil where it does not live.
func (s *site) portray(i int) *portrait {
	now := s.seen(s.h.name(i))
	if now == nil {
		return nil
	}
	p := &portrait{id: aws.ToString(now.StackId), parts: map[string]string{}}
	text, err := s.sdk.GetTemplate(s.t.Context(), &cloudformation.GetTemplateInput{StackName: now.StackId})
	if err != nil {
		s.failf("%s: %v", s.h.name(i), err)
		return p
	}
	resources, err := s.sdk.DescribeStackResources(s.t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: now.StackId})
	if err != nil {
		s.failf("%s: %v", s.h.name(i), err)
		return p
	}
	for _, r := range resources.StackResources {
		p.parts[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
	}
	if data := s.h.nodes[i].data; data == "kept" || data == "bucket" {
		p.kept = p.parts["Data"]
	}
	lines := []string{aws.ToString(text.TemplateBody), strings.Join(slices.Sorted(maps.Keys(p.parts)), " "), fmt.Sprint(aws.ToBool(now.EnableTerminationProtection))}
	for _, t := range now.Tags {
		lines = append(lines, "tag "+aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	for _, o := range now.Outputs {
		lines = append(lines, "output "+aws.ToString(o.OutputKey)+" "+aws.ToString(o.ExportName))
	}
	for _, q := range now.Parameters {
		if key := aws.ToString(q.ParameterKey); key == "Note" {
			lines = append(lines, "parameter "+key+"="+aws.ToString(q.ParameterValue))
		}
	}
	slices.Sort(lines[3:])
	p.same = strings.Join(lines, "\n")
	return p
}

// life is what the events of one stack tell.
type life struct {
	made, gone time.Time
	deletions  int
	failed     bool
	destroyed  []string // logical ids
}

func (s *site) life(id string) life {
	var out life
	pages := cloudformation.NewDescribeStackEventsPaginator(s.sdk, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			return out
		}
		for _, e := range page.StackEvents {
			own := aws.ToString(e.PhysicalResourceId) == aws.ToString(e.StackId)
			switch {
			case e.ResourceStatus == types.ResourceStatusDeleteFailed:
				out.failed = true
			case !own && e.ResourceStatus == types.ResourceStatusDeleteComplete:
				out.destroyed = append(out.destroyed, aws.ToString(e.LogicalResourceId))
			case own && e.ResourceStatus == types.ResourceStatusCreateComplete:
				out.made = aws.ToTime(e.Timestamp)
			case own && e.ResourceStatus == types.ResourceStatusDeleteComplete:
				out.gone = aws.ToTime(e.Timestamp)
			case own && e.ResourceStatus == types.ResourceStatusDeleteInProgress:
				out.deletions++
			}
		}
	}
	return out
}

// slack is how long after a blow has landed a call may still go out: what was
// looked at right before it had not come yet. A lock is looked at when there is a
// sign of life.
func (b *blow) slack() time.Duration {
	if b.what == "lock" {
		return 30 * time.Second
	}
	return 2 * time.Second
}

// ownDeed tells whether the blow itself deletes its stack.
func (b *blow) ownDeed(i int) bool { return b != nil && b.what == "anew" && b.node == i }

// judge holds what a break did against what it may do. It returns the stacks that
// it took down.
func (s *site) judge(r ran, before []*portrait) (down []int) {
	h, goes := s.h, s.h.goes()
	lives := make([]life, len(before))
	index := map[string]int{}
	for i, p := range before {
		lives[i] = s.life(p.id)
		index[p.id] = i
	}
	whole := true
	for i, l := range lives {
		planned, stuck := slices.Contains(goes, i), h.fault == "stuck" && h.ill == i
		switch {
		case !planned && !h.struck(i) && (!l.gone.IsZero() || l.deletions > 0):
			s.failf("%s is not in the plan and was deleted", h.name(i))
		case l.deletions > 1 && !h.struck(i):
			s.failf("%s was deleted %d times", h.name(i), l.deletions)
		case l.failed && !stuck && !s.crossed(i):
			s.failf("the deletion of %s failed", h.name(i))
		}
		if slices.Contains(l.destroyed, "Data") && h.nodes[i].data != "named" && h.nodes[i].data != "queue" {
			s.failf("the data of %s (%s) is gone", h.name(i), h.nodes[i].data)
		}
		whole = whole && (!planned || !l.gone.IsZero())
	}
	sent := map[int]bool{}
	for _, d := range s.deletes {
		i, known := index[d.id]
		switch {
		case d.phase != "break":
		case !known || !slices.Contains(goes, i):
			s.failf("a deletion of %s was sent, which is not in the plan", d.id)
		default:
			s.timely(d, i, lives)
			if d.accepted && !sent[i] {
				sent[i] = true
				down = append(down, i)
			}
		}
	}
	s.truth(r, whole, len(down) > 0)
	return down
}

// struck tells whether the havoc's blows delete a stack themselves.
func (h *havoc) struck(i int) bool { return h.before.ownDeed(i) || h.amid.ownDeed(i) }

// crossed tells whether a deletion of a stack was under way when a blow came that
// makes it fail: nobody can see that coming.
func (s *site) crossed(i int) bool {
	b := s.h.amid
	return b != nil && (b.what == "import" || b.what == "move in") && b.node == i && !s.begun.IsZero()
}

// timely holds one deletion against who lived when it was sent, and against the
// blow.
func (s *site) timely(d deletion, i int, lives []life) {
	h := s.h
	for _, j := range h.first(i) {
		if l := lives[j]; l.gone.IsZero() || l.gone.After(d.at) {
			s.failf("the deletion of %s was sent while %s lived, which needs it", h.name(i), h.name(j))
		}
	}
	b := h.amid
	if b == nil || s.landed.IsZero() || !d.at.After(s.landed.Add(b.slack())) {
		return
	}
	if b.concerns([]int{i}) && b.what != "expire" {
		s.failf("the deletion of %s was sent %s after: %s", h.name(i), d.at.Sub(s.landed), b.what)
	}
	if b.what == "expire" && d.accepted {
		s.failf("the deletion of %s was accepted after the credentials had expired", h.name(i))
	}
}

// truth holds the exit code against what became of the plan.
func (s *site) truth(r ran, whole, touched bool) {
	h := s.h
	hindered := h.amid != nil && !s.begun.IsZero() || h.fault == "stuck" && slices.Contains(h.goes(), h.ill)
	switch {
	case r.Exit == 0 && (!whole || h.stays), r.Exit == 10 && whole && !hindered, r.Exit == 11 && whole:
		s.failf("exit %d, gone %v, stays %v", r.Exit, whole, h.stays)
	case r.Exit == 130 && !h.stays && (h.amid == nil || h.amid.what != "ctrl-c" && h.amid.what != "lock"):
		s.failf("exit 130, and nobody interrupted it")
	case !slices.Contains([]int{0, 10, 11, 130}, r.Exit):
		s.failf("exit %d", r.Exit)
	case !hindered && !whole:
		s.failf("exit %d: not all is gone, and nothing was in the way", r.Exit)
	case !touched && (r.Exit == 0 || r.Exit == 11):
		s.failf("exit %d, and nothing was touched", r.Exit)
	}
}

// comesBack recovers, and looks that everything is as it was.
func (s *site) comesBack(before []*portrait, down []int) (back int) {
	r := s.run(nil, "recover", "-y")
	if r.Exit != 0 {
		s.failf("recover: exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
	}
	for i, was := range before {
		now := s.portray(i)
		switch went := slices.Contains(down, i); {
		case now == nil:
			s.failf("%s does not live", s.h.name(i))
		case !went && now.id != was.id && !s.h.struck(i):
			s.failf("%s was left alone, and is another stack", s.h.name(i))
		case !went:
		case now.id == was.id:
			s.failf("%s went, and is the same stack", s.h.name(i))
		case now.same != was.same || now.kept != was.kept:
			s.failf("%s was\n%s\n%s\nand is\n%s\n%s", s.h.name(i), was.same, was.kept, now.same, now.kept)
		default:
			back++
		}
		if st := s.seen(s.h.name(i)); st != nil && !strings.HasSuffix(string(st.StackStatus), "_COMPLETE") {
			s.failf("%s is %s", aws.ToString(st.StackName), st.StackStatus)
		}
	}
	s.aws.writes()
	if r := s.run(nil, "recover", "-y"); r.Exit != 0 {
		s.failf("recover, with nothing to do: exit %d\n%s%s", r.Exit, r.Stdout, r.Stderr)
	}
	s.untouched("recover, with nothing to do,")
	return back
}
