package handler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deployer-cli/deployer/internal/program"
	"github.com/deployer-cli/deployer/stacks"
	"github.com/deployer-cli/deployer/templates"
)

// SAM builds and packages a template with the SAM CLI, as the handler of that
// name for Sceptre does: sam build, then sam package into the artifact bucket.
// Its path is relative to where the user is, or to the project.
func (h *Handlers) SAM(ctx context.Context, st *stacks.Stack, _ stacks.Value) (templates.Body, error) {
	job, err := h.samJob(st)
	if err != nil {
		return templates.Body{}, err
	}
	if _, connected := h.ports.Objects(); !connected {
		return templates.Body{}, &templates.LaterError{Why: "packaging puts artifacts into S3"}
	}
	text, err := h.texts.get(ctx, access(st.Access)+string(st.Path)+"\x00sam", func() ([]byte, error) { return h.pack(ctx, st, job) })
	if _, none := errors.AsType[*program.NotFoundError](err); none {
		err = problem(st, "of type sam", "there is no SAM CLI: no program sam on the path", "install it: https://docs.aws.amazon.com/serverless-application-model")
	}
	if err != nil {
		return templates.Body{}, failed(ctx, st, "of type sam", err)
	}
	return templates.Body{Text: text, File: st.Template.Path}, nil
}

// samJob is a template of type sam, read.
type samJob struct {
	file, bucket, prefix string
	build, pack          []string
}

func (h *Handlers) samJob(st *stacks.Stack) (samJob, error) {
	given := map[string]stacks.Value{}
	for _, f := range st.Template.Args.Fields {
		given[f.Key] = f.Value
	}
	name := cmp.Or(st.Template.Path, given["sam_template_path"].Text)
	j := samJob{bucket: given["artifact_bucket_name"].Text, prefix: path.Join(given["artifact_prefix"].Text, string(st.Path), "sam_artifacts")}
	switch {
	case name == "":
		return j, problem(st, "of type sam", "it has no path", "write path: src/app/template.yaml")
	case j.bucket == "":
		return j, problem(st, "of type sam", "it has no artifact_bucket_name", "SAM puts the code there")
	case strings.HasSuffix(name, ".j2"), strings.HasSuffix(name, ".py"):
		return j, problem(st, "of type sam", "a SAM template has to be .yaml or .json here", "")
	}
	j.build = samFlags(given["build_args"], given["sam_build_args"])
	j.pack = samFlags(given["package_args"], given["sam_package_args"])
	for _, base := range []string{h.ports.Dir, h.ports.Project} {
		j.file = name
		if !filepath.IsAbs(name) {
			j.file = filepath.Join(base, filepath.FromSlash(name))
		}
		if info, err := os.Stat(j.file); err == nil && !info.IsDir() {
			return j, nil
		}
	}
	return j, problem(st, name, "the file does not exist", "the path of a SAM template is relative to where you are, or to the project")
}

// samFlags turns {use-container: true, parallel: null, x: y} into flags.
func samFlags(maps ...stacks.Value) []string {
	var out []string
	for _, m := range maps {
		for _, f := range m.Fields {
			switch {
			case f.Value.Kind == stacks.Null:
			case f.Value.Kind == stacks.Bool && f.Value.Text == "true":
				out = append(out, "--"+f.Key)
			default:
				out = append(out, "--"+f.Key, f.Value.Text)
			}
		}
	}
	return out
}

func (h *Handlers) pack(ctx context.Context, st *stacks.Stack, j samJob) ([]byte, error) {
	scratch, err := os.MkdirTemp("", "deployer-sam-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch) //nolint:errcheck // a folder for temporary files
	// Every application has a folder of its own to be built in: several may be
	// built at the same time.
	built := filepath.Join(h.ports.Project, ".deployer", "sam", fmt.Sprintf("%x", sha256.Sum256([]byte(j.file)))[:16])
	packed := filepath.Join(scratch, "packaged.yaml")
	build := append([]string{"sam", "build", "--cached", "--template-file", j.file, "--build-dir", built, "--cache-dir", built + ".cache"}, j.build...)
	pack := append([]string{
		"sam", "package", "--template-file", filepath.Join(built, "template.yaml"), "--s3-bucket", j.bucket,
		"--s3-prefix", j.prefix, "--region", st.Access.Region, "--output-template-file", packed,
	}, j.pack...)
	for _, args := range [][]string{build, pack} {
		if _, err := h.ports.Runner.Answer(ctx, st.Access, args, nil); err != nil {
			if exit, ok := errors.AsType[*program.ExitError](err); ok {
				return nil, fmt.Errorf("%s %s: %w", args[0], args[1], exit)
			}
			return nil, err
		}
	}
	return os.ReadFile(packed)
}
