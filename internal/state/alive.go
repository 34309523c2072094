package state

// Process is a process and where it runs: a process id alone says nothing, for
// containers and machines of one name each count their own.
type Process struct {
	PID     int
	Machine string // the boot of the machine and its space of process ids, "" where that cannot be told
	Started string // when it began, as that machine counts, "" where that cannot be told
}

// Self is this process.
func Self() Process { return self() }

// Gone tells whether a process certainly is no more: it ran where this one does, and
// nobody there has its id any more, or another process has. Where that cannot be told
// it is not gone.
func (p Process) Gone() bool {
	here := Self()
	if p.PID <= 0 || p.Machine == "" || p.Machine != here.Machine {
		return false
	}
	if vanished(p.PID) {
		return true
	}
	now := started(p.PID)
	return now != "" && p.Started != "" && now != p.Started
}
