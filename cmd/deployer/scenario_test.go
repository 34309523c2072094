package main_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/deployer-cli/deployer/internal/sandbox"
)

// Nothing that is ready waits for something that is not: neither for a slow
// stack that it does not need, nor for a slot that a waiting stack holds.
func TestReadyStacksStartAtOnce(t *testing.T) {
	t.Parallel()
	play(t, 0, 0, func(t *testing.T, s *scene) {
		const n = 25
		text := "template: {path: queue.yaml, type: file}\n"
		write(t, s.dir, "config/dev/slow.yaml", text)
		write(t, s.dir, "config/dev/fast.yaml", text)
		for i := range n {
			for _, root := range []string{"slow", "fast"} {
				write(t, s.dir, fmt.Sprintf("config/dev/%s%02d.yaml", root, i), text+"parameters: {After: !stack_output dev/"+root+".yaml::Arn}\n")
			}
		}
		s.fault(t, sandbox.Fault{Stack: "many-dev-slow", Hold: 10 * time.Minute}, 0)
		r := s.launch(t, 0, "--max-concurrency", fmt.Sprint(n+1))
		r.result(t).all(t, 2+2*n, "created")
		events := r.story(t)
		ready, slow := events.when(t, "step-done", "dev/fast"), events.when(t, "step-done", "dev/slow")
		if slow.Sub(ready) < 9*time.Minute {
			t.Fatalf("the slow stack was not slow: %s", slow.Sub(ready))
		}
		for i := range n {
			stack := fmt.Sprintf("dev/fast%02d", i)
			if d := events.when(t, "step-started", stack).Sub(ready); d > time.Millisecond {
				t.Errorf("%s started %s after it was ready", stack, d)
			}
			if d := events.when(t, "step-accepted", stack).Sub(ready); d > 2*time.Second {
				t.Errorf("%s was sent %s after it was ready", stack, d)
			}
		}
	})
}

func TestOneFailureOfTwenty(t *testing.T) {
	t.Parallel()
	play(t, 20, 1, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Stack: "many-dev-c007-000", Fail: true, Message: "no more queues", Phase: "create"}, 0)
		r := s.launch(t, 1)
		o := r.result(t)
		if o.Stacks["dev/c007-000"] != "failed" || len(o.Errors) != 1 || !strings.Contains(o.Errors[0].Why, "no more queues") {
			t.Errorf("%+v", o)
		}
		delete(o.Stacks, "dev/c007-000")
		o.all(t, 19, "created")
	})
}

// What cannot be read when a stack ends is read later.
func TestThrottledLastPoll(t *testing.T) {
	t.Parallel()
	play(t, 5, 2, func(t *testing.T, s *scene) {
		s.after(time.Second, func() {
			s.fault(t, sandbox.Fault{Throttle: true, Service: "cloudformation", Phase: "read"}, 5*time.Minute)
		})
		r := s.launch(t, 0)
		r.result(t).all(t, 10, "created")
		if took := time.Since(s.start); took < 5*time.Minute || took > 7*time.Minute {
			t.Errorf("it took %s", took)
		}
		s.once(t, 10)
	})
}

// dead fails requests in all the ways in which a network does.
func dead(n int) func(r *http.Request) error {
	return func(r *http.Request) error {
		n++
		switch n % 4 {
		case 0:
			return &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
		case 1:
			return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		case 2:
			return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		}
		<-r.Context().Done() // until somebody has had enough
		return r.Context().Err()
	}
}

// A network that is gone for ten minutes makes a launch ten minutes longer.
func TestDeadNetwork(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"mixed", "no names", "silent"} {
		t.Run(strings.ReplaceAll(kind, " ", "-"), func(t *testing.T) {
			t.Parallel()
			play(t, 6, 4, func(t *testing.T, s *scene) {
				var creates atomic.Int64
				s.watch = func(action string) {
					if action != "CreateStack" {
						return
					}
					if creates.Add(1) != 9 { // in the middle of a wave of them
						return
					}
					s.after(time.Since(s.start)+10*time.Minute, func() { s.cut(nil) })
					switch kind {
					case "mixed":
						s.cut(serial(dead(0)))
					case "no names":
						s.cut(func(r *http.Request) error {
							return &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
						})
					default:
						s.cut(func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() })
					}
				}
				r := s.launch(t, 0)
				r.result(t).all(t, 24, "created")
				if took := time.Since(s.start); took < 10*time.Minute || took > 11*time.Minute {
					t.Errorf("it took %s", took)
				}
				events := r.story(t)
				if !events.says("warning", "the run waits") || !events.says("warning", "AWS answers again") {
					t.Errorf("nobody was told: %s", r.Stdout)
				}
				s.once(t, 24)
			})
		})
	}
}

// serial lets one request after the other through f's counting.
func serial(f func(r *http.Request) error) func(r *http.Request) error {
	turn := make(chan struct{}, 1)
	return func(r *http.Request) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		return f(r)
	}
}

// --timeout ends a run that waits for a network, and what it does last does not
// wait again.
func TestTimeoutInADeadNetwork(t *testing.T) {
	t.Parallel()
	play(t, 6, 2, func(t *testing.T, s *scene) {
		s.after(4*time.Second, func() { s.cut(serial(dead(0))) })
		r := s.launch(t, 130, "--timeout", "5m")
		if took := time.Since(s.start); took > 6*time.Minute {
			t.Errorf("it took %s", took)
		}
		r.result(t).all(t, 12, "running", "skipped")
		s.cut(nil)
		s.launch(t, 0).result(t).all(t, 12, "created", "unchanged")
		s.once(t, 12)
	})
}

// Before anything was begun a dead network is told soon.
func TestDeadNetworkBeforeTheRun(t *testing.T) {
	t.Parallel()
	play(t, 1, 1, func(t *testing.T, s *scene) {
		s.cut(func(r *http.Request) error {
			return &net.DNSError{Err: "no such host", Name: r.URL.Host, IsNotFound: true}
		})
		s.launch(t, 1)
		if took := time.Since(s.start); took > 10*time.Second {
			t.Errorf("it took %s to say so", took)
		}
	})
}

func TestExpiredCredentialsInMidRun(t *testing.T) {
	t.Parallel()
	expire := sandbox.Fault{Expire: true}
	t.Run("renewed in time", func(t *testing.T) {
		t.Parallel()
		play(t, 6, 4, func(t *testing.T, s *scene) {
			s.after(4*time.Second, func() { s.fault(t, expire, 100*time.Second) })
			r := s.launch(t, 0)
			r.result(t).all(t, 24, "created")
			if took := time.Since(s.start); took < 104*time.Second || took > 150*time.Second {
				t.Errorf("it took %s", took)
			}
			if !r.story(t).says("warning", "the run waits and goes on by itself") {
				t.Errorf("nobody was told: %s", r.Stdout)
			}
			s.once(t, 24)
		})
	})
	t.Run("somebody there", func(t *testing.T) {
		t.Parallel()
		play(t, 6, 4, func(t *testing.T, s *scene) {
			s.person = true
			s.after(4*time.Second, func() { s.fault(t, expire, 90*time.Minute) })
			s.launch(t, 0).result(t).all(t, 24, "created")
			if took := time.Since(s.start); took < 90*time.Minute || took > 92*time.Minute {
				t.Errorf("it took %s", took)
			}
			s.once(t, 24)
		})
	})
	t.Run("never renewed", func(t *testing.T) {
		t.Parallel()
		play(t, 6, 4, func(t *testing.T, s *scene) {
			s.after(4*time.Second, func() { s.fault(t, expire, time.Hour) })
			r := s.launch(t, 1, "--max-concurrency", "4")
			if took := time.Since(s.start); took < 2*time.Minute || took > 3*time.Minute {
				t.Errorf("it took %s to give up", took)
			}
			o := r.result(t)
			o.all(t, 24, "created", "unknown", "skipped", "not-started")
			unknown := 0
			for _, e := range o.Errors {
				if o.Stacks[e.Stack] == "unknown" {
					unknown++
					if !strings.Contains(e.Hint, "go on with: deployer launch dev") {
						t.Errorf("%s: hint %q", e.Stack, e.Hint)
					}
				}
			}
			if unknown == 0 || unknown > 4 {
				t.Errorf("%d stacks are unknown: %v", unknown, o.Stacks)
			}
			time.Sleep(time.Hour)
			s.launch(t, 0).result(t).all(t, 24, "created", "unchanged")
			s.once(t, 24)
		})
	})
}

// A service that is down for minutes, and one that fails every other call.
func TestStormOfErrors(t *testing.T) {
	t.Parallel()
	play(t, 6, 4, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Status: 503, Probability: 0.4, Service: "cloudformation"}, 0)
		s.after(5*time.Second, func() { s.fault(t, sandbox.Fault{Status: 500, Service: "cloudformation"}, 4*time.Minute) })
		s.launch(t, 0).result(t).all(t, 24, "created")
		s.once(t, 24)
	})
}

// Answers that are lost after AWS did what they are about.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	play(t, 6, 4, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Drop: "answer", Probability: 0.4, Service: "cloudformation", Phase: "write"}, 0)
		r := s.launch(t, 0)
		r.result(t).all(t, 24, "created")
		s.launch(t, 0).result(t).all(t, 24, "unchanged")
	})
}

// Reads that tell what was twenty seconds ago: a result is never told before it
// is so, and never one of an operation before.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	play(t, 5, 3, func(t *testing.T, s *scene) {
		s.fault(t, sandbox.Fault{Stale: 20 * time.Second, Service: "cloudformation", Phase: "read"}, 0)
		s.launch(t, 0).result(t).all(t, 15, "created")
		s.complete(t, "CREATE_COMPLETE", 15)
		time.Sleep(time.Minute)
		for i := range 5 {
			write(t, s.dir, fmt.Sprintf("config/dev/c%03d-000.yaml", i), "template: {path: queue.yaml, type: file}\nstack_tags: {round: two}\n")
		}
		o := s.launch(t, 0).result(t)
		o.all(t, 15, "updated", "unchanged")
		s.complete(t, "UPDATE_COMPLETE", 5)
		s.once(t, 15)
	})
}

// complete tells how many stacks have a status, as AWS itself knows it.
func (s *scene) complete(t *testing.T, status string, want int) {
	t.Helper()
	if err := s.aws.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := s.run(t, "status", "dev", "-o", "json")
	if n := strings.Count(r.Stdout, `"status": "`+status+`"`) + strings.Count(r.Stdout, `"status":"`+status+`"`); n != want {
		t.Errorf("%d stacks are %s, want %d\n%s", n, status, want, r.Stdout)
	}
	s.fault(t, sandbox.Fault{Stale: 20 * time.Second, Service: "cloudformation", Phase: "read"}, 0)
}

// The machine's clock is set while a launch runs, forwards or backwards.
func TestClockJump(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forwards": 5 * time.Hour, "backwards": -5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, 4, 4, func(t *testing.T, s *scene) {
				began := time.Now()
				s.now = func() time.Time {
					if now := time.Now(); now.Sub(began) > 6*time.Second {
						return now.Add(jump)
					}
					return time.Now()
				}
				s.launch(t, 0).result(t).all(t, 16, "created")
				s.launch(t, 0).result(t).all(t, 16, "unchanged")
				s.once(t, 16)
			})
		})
	}
}

// A laptop that sleeps: everything under way hangs, and the clock is hours
// further when it wakes, with connections that are dead.
func TestLaptopSleep(t *testing.T) {
	t.Parallel()
	play(t, 4, 4, func(t *testing.T, s *scene) {
		const slept = 8 * time.Hour
		s.after(6*time.Second, func() {
			wake := time.Now().Add(slept)
			s.cut(func(*http.Request) error {
				time.Sleep(time.Until(wake))
				return errors.New("use of closed network connection")
			})
		})
		s.after(6*time.Second+slept, func() { s.cut(nil) })
		s.launch(t, 0, "--timeout", "24h").result(t).all(t, 16, "created")
		s.once(t, 16)
	})
}

// The terminal is closed: we leave at once, the stacks go on, and the next
// launch picks them up.
func TestHangup(t *testing.T) {
	t.Parallel()
	play(t, 6, 4, func(t *testing.T, s *scene) {
		s.after(4*time.Second, func() { s.interrupts <- syscall.SIGHUP })
		r := s.launch(t, 130)
		if took := time.Since(s.start); took > 5*time.Second {
			t.Errorf("it took %s to leave", took)
		}
		o := r.result(t)
		o.all(t, 24, "created", "running", "skipped", "not-started")
		if !strings.Contains(r.Stdout, `"kind":"detached"`) || !strings.Contains(fmt.Sprint(o.Errors), "the terminal was closed") {
			t.Errorf("%s", r.Stdout)
		}
		s.launch(t, 0).result(t).all(t, 24, "created", "unchanged")
		s.once(t, 24)
	})
}

// Three accounts in four regions, each with a limit of five reads a second of
// its own, one of them much slower still: nothing fails, few calls are
// throttled, and nobody waits for the slow one.
func TestAccountsAndRegions(t *testing.T) {
	t.Parallel()
	play(t, 0, 0, func(t *testing.T, s *scene) {
		accounts := []string{"123456789012", "222222222222", "333333333333"}
		regions := []string{"eu-west-1", "eu-central-1", "us-east-1", "ap-southeast-2"}
		const each = 10 // five chains of two
		for _, account := range accounts {
			for _, region := range regions {
				group := "config/dev/a" + account[:1] + "-" + region
				role := ""
				if account != accounts[0] {
					role = "iam_role: arn:aws:iam::" + account + ":role/deploy\n"
				}
				write(t, s.dir, group+"/config.yaml", "region: "+region+"\n"+role)
				for i := range each {
					text := "template: {path: queue.yaml, type: file}\n"
					if i%2 == 1 {
						text += fmt.Sprintf("parameters: {After: !stack_output %s/s%d.yaml::Arn}\n", strings.TrimPrefix(group, "config/"), i-1)
					}
					write(t, s.dir, fmt.Sprintf("%s/s%d.yaml", group, i), text)
				}
				limit := sandbox.Fault{Account: account, Region: region, Rate: 5, Burst: 5, Service: "cloudformation", Phase: "read"}
				if account == accounts[2] && region == regions[3] {
					limit.Rate, limit.Burst, limit.Phase = 0.5, 1, ""
				}
				s.fault(t, limit, 0)
			}
		}
		n := each * len(accounts) * len(regions)
		r := s.launch(t, 0)
		r.result(t).all(t, n, "created")
		slow, others := time.Duration(0), time.Duration(0)
		for _, e := range r.story(t) {
			if took := e.Time.Sub(s.start); e.Kind != "step-done" {
				continue
			} else if strings.HasPrefix(e.Stack, "dev/a3-ap-southeast-2/") {
				slow = max(slow, took)
			} else {
				others = max(others, took)
			}
		}
		t.Logf("the slow one took %s, the others %s; %d of %d calls were throttled", slow, others, s.meter.throttled.Load(), s.meter.calls.Load())
		if slow < 30*time.Second || others > 25*time.Second {
			t.Errorf("the slow one took %s, the others %s", slow, others)
		}
		if share := float64(s.meter.throttled.Load()) / float64(s.meter.calls.Load()); share > 0.1 { // nearly all of them by the slow one
			t.Errorf("%.1f %% of the calls were throttled", 100*share)
		}
	})
}
