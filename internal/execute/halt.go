package execute

import "errors"

// errHalted keeps back what would be sent after the run began to drain.
var errHalted = errors.New("nothing new is begun")

// halt makes the run start nothing new.
func (r *run) halt() {
	if !r.draining {
		r.draining = true
		close(r.halted)
	}
}

// quiet tells a worker whether nothing new is to be sent, also where the owner of the
// run has not heard of it yet.
func (r *run) quiet() bool {
	select {
	case <-r.halted:
		return true
	case <-r.job.Drain:
		return true
	default:
		return false
	}
}

// mayBegin is asked before a step's first call, and again when that has waited for
// its turn or was refused for the moment. What has begun is not cut in two: a stack
// that was deleted to be made again is made. A template that was uploaded, or a change
// set that was made, is nothing yet.
func (w *worker) mayBegin() error {
	if w.sent.Load() {
		return nil
	}
	if w.run.quiet() {
		return errHalted
	}
	return nil
}

// begun is told that AWS may have accepted something of the step.
func (w *worker) begun() { w.sent.Store(true) }

// IsHalted tells whether a call was kept back because nothing new is begun.
func IsHalted(err error) bool { return errors.Is(err, errHalted) }
