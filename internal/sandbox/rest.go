package sandbox

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/deployer-cli/deployer/internal/sandbox/wire"
)

// route is one operation of a service that is addressed by method and path.
// Words in braces are members of its input.
type route struct{ service, method, path, action string }

func routes() []route {
	const lambda = "lambda"
	return []route{
		{lambda, http.MethodPost, "/2015-03-31/functions/{FunctionName}/invocations", actionInvoke},
		{lambda, http.MethodGet, "/2015-03-31/functions/{FunctionName}", "GetFunction"},
		{lambda, http.MethodGet, "/2019-09-30/functions/{FunctionName}/concurrency", "GetFunctionConcurrency"},
		{lambda, http.MethodPut, "/2017-10-31/functions/{FunctionName}/concurrency", "PutFunctionConcurrency"},
		{lambda, http.MethodDelete, "/2017-10-31/functions/{FunctionName}/concurrency", "DeleteFunctionConcurrency"},
	}
}

// route finds out which operation a path means. One that means none leaves the
// action empty. The query's own members count as those of the path.
func (c *call) route() {
	for _, r := range routes() {
		if r.service != c.service || r.method != c.r.Method {
			continue
		}
		if form, ok := r.match(c.r.URL.EscapedPath()); ok {
			for name, values := range c.r.URL.Query() {
				if form.Get(name) == "" {
					form[name] = values
				}
			}
			c.action, c.form = r.action, form
			return
		}
	}
}

func (r route) match(path string) (url.Values, bool) {
	want, have := strings.Split(r.path, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(want) != len(have) {
		return nil, false
	}
	out := url.Values{}
	for i, part := range want {
		name, variable := strings.CutPrefix(part, "{")
		if !variable {
			if part != have[i] {
				return nil, false
			}
			continue
		}
		text, err := url.PathUnescape(have[i])
		if err != nil || text == "" {
			return nil, false
		}
		out.Set(strings.TrimSuffix(name, "}"), text)
	}
	return out, true
}

// acceptREST writes a good answer of a REST service that speaks JSON.
func (c *call) acceptREST(a *answer, out any, status int) *answer {
	if status != 0 {
		a.status = status
	}
	if a.status == http.StatusNoContent {
		return a
	}
	a.header.Set("Content-Type", "application/json")
	a.body = wire.EncodeJSON(out)
	return a
}
