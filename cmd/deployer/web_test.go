package main_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestAddresses launches from templates and values that stand at addresses,
// behind a server that is busy at first.
func TestAddresses(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case asked.Add(1) == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/app.j2":
			_, _ = w.Write([]byte("Parameters: {In: {Type: String}}\nResources: {Topic: {Type: AWS::SNS::Topic}}\nOutputs: {Out: {Value: !Sub '${In} {{ sceptre_user_data.and }}'}}\n"))
		case r.URL.Path == "/value" && user+password == "mehush":
			_, _ = w.Write([]byte("from the web"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	write(t, dir, "config/config.yaml", "project_code: shop\nregion: eu-west-1\nhttp_template_handler: {retries: 2, timeout: 5}\n")
	write(t, dir, "config/dev/app.yaml", "template: {type: http, url: "+server.URL+"/app.j2?v=1}\nsceptre_user_data: {and: 'a & b'}\nparameters:\n  In: !request {url: "+server.URL+"/value, auth: basic, user: me, password: hush}\n")
	write(t, dir, "config/other/gone.yaml", "template: {type: http, url: "+server.URL+"/gone.yaml}\n")
	must(t, 0, dir, "--sandbox", "launch", "dev", "-y")
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times, want 3: each once, one of them again", n)
	}
	if out := must(t, 0, dir, "--sandbox", "list", "outputs", "dev", "-o", "json"); !strings.Contains(out.Stdout, "from the web a & b") {
		t.Errorf("outputs are %s", out.Stdout)
	}
	if r := must(t, 2, dir, "--sandbox", "launch", "other", "-y"); !strings.Contains(r.Stderr, "config/other/gone.yaml:1:1") || !strings.Contains(r.Stderr, "404 Not Found") {
		t.Error(r.Stderr)
	}
}
