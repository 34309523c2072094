package cfn

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/deployer-cli/deployer/stacks"
)

// What decides when a stack is looked at whose like has ended in this run.
const (
	enough     = 2.6              // looks that an operation may cost, in the mean: calls are worth more where it was more
	remembered = 64               // operations of a kind, the latest
	guesses    = 32               // times at which the next of a kind may end, at least
	spread     = 0.25             // by which one operation alone may be off; many tell themselves
	worth      = 0.015            // of what an operation takes: by so much later its end may be seen, to save a call
	settling   = 10               // operations of a kind until which calls are worth less
	blurred    = 16               // of it, a part: looks further apart than that do not tell how long it took
	sampled    = 16               // operations of a kind whose events are asked for that,
	resampled  = 16               // and one of so many later ones
	overdue    = 20               // of what it took so far, a part: between looks at what should have ended
	quick      = 10 * time.Second // what ends within it is done before anybody could read about it
)

// history is how long operations of one kind took in this run, the latest of them.
type history []time.Duration

// learn notes one that took from lower to upper, as far as looks can tell. Where that
// is far apart, what is known already says where between them; where that says nothing
// either, only that it ended before the first look is worth noting.
func (h history) learn(lower, upper time.Duration) history {
	took := (lower + upper) / 2
	if upper-lower > took/blurred {
		if len(h) == 0 {
			return h.first(lower, upper)
		}
		known := slices.DeleteFunc(h.guess(), func(g time.Duration) bool { return g <= lower || g > upper })
		switch {
		case len(known) > 0:
			took = known[len(known)/2]
		case lower == 0:
			took = upper
		default:
			return h
		}
	}
	h = append(h, took)
	return h[max(0, len(h)-remembered):]
}

// first begins a history with what looks tell roughly, where that is of any use.
func (h history) first(lower, upper time.Duration) history {
	if took := (lower + upper) / 2; upper-lower <= took/2 {
		return append(h, took)
	}
	return h
}

// guess gives the times at which another of the kind may end, all as likely, in
// order: around each that is known, the wider the fewer there are. The history
// must not be empty.
func (h history) guess() []time.Duration {
	around := max(1, guesses/len(h))
	wide := spread / math.Sqrt(float64(len(h)))
	out := make([]time.Duration, 0, len(h)*around)
	for _, took := range h {
		for i := range around {
			at := (float64(i)+0.5)/float64(around)*2 - 1 // from -1 to 1
			out = append(out, time.Duration(float64(took)*(1+wide*at)))
		}
	}
	slices.Sort(out)
	return out
}

// chance is a moment from now on at which a stack may end, and how likely it is.
type chance struct {
	in     time.Duration
	weight float64
}

// balance tells when the next look at running stacks is due: when the time that their
// ends can be expected to have gone unseen by then adds up to what a look is worth.
// Sooner, looks cost more than they gain; later, the waiting does.
func balance(chances []chance, price time.Duration) time.Duration {
	slices.SortFunc(chances, func(a, b chance) int { return cmp.Compare(a.in, b.in) })
	var at time.Duration
	left, ended := float64(price), 0.0 // of the price; how many have ended by then
	for _, c := range chances {
		if unseen := ended * float64(c.in-at); unseen >= left {
			break
		} else {
			left -= unseen
		}
		at = c.in
		ended += c.weight
	}
	if ended == 0 {
		return price
	}
	return at + time.Duration(left/ended)
}

// learn notes how long w's operation took, of which this look saw the end.
func (p *poller) learn(w *watcher, ended stacks.Status) {
	if w.foreseen {
		p.cloud.foreseen.Add(1)
	}
	if w.op.Kind == "" || w.op.Joined || w.crowded { // of a crowd, those that are looked at closely are the slow ones
		return
	}
	lower, upper := w.runningAt.Sub(w.began), p.looked.Sub(w.began)
	exact := p.timely() && w.tail.stack == ended && !w.tail.began.IsZero()
	if exact {
		lower = w.tail.at.Sub(w.tail.began)
		upper = lower
	}
	p.cloud.mu.Lock()
	defer p.cloud.mu.Unlock()
	if !exact && p.timely() && len(p.cloud.past[w.op.Kind]) >= sampled {
		return // those that ended right before a look are not like the others
	}
	p.cloud.past[w.op.Kind] = p.cloud.past[w.op.Kind].learn(lower, upper)
}

// timely tells whether the service's time goes as fast as ours.
func (p *poller) timely() bool { return p.cloud.opts.Realm != stacks.RealmSandbox }

// skippable tells whether the last events of an operation that ended well tell
// nothing that is needed.
func (p *poller) skippable(w *watcher, watchers int) bool {
	if watchers > several || p.ledger.frugal() && !w.foreseen {
		return true
	}
	if !w.quick || p.ledger.operations.Load() <= several {
		return p.ledger.frugal()
	}
	h, _ := p.known(w)
	return len(h) >= sampled && p.ledger.operations.Load()%resampled != 0
}

// known gives what is known of how long operations like w's take.
func (p *poller) known(w *watcher) (history, bool) {
	p.cloud.mu.Lock()
	defer p.cloud.mu.Unlock()
	h := p.cloud.past[w.op.Kind]
	return slices.Clone(h), len(h) > 0 && w.op.Kind != "" && !w.op.Joined
}

// schedule says when each of few stacks is to be looked at, of which it is known how
// long they take. next is when the first of them is due; all is false where others
// are among them, whose looks follow another rule.
func (p *poller) schedule(watchers []*watcher) (next time.Duration, all bool) {
	next, all = rarest, true
	if len(watchers) > few {
		for _, w := range watchers {
			w.due, w.crowded = time.Time{}, true
		}
		return next, false
	}
	now, together := time.Now(), len(watchers) > p.pages
	var chances []chance
	var price time.Duration
	longest := rarest
	for _, w := range watchers {
		h, ok := p.known(w)
		if w.foreseen = ok; w.done || !ok {
			w.due = time.Time{}
			all = all && w.done
			continue
		}
		from := now
		if !together {
			from = w.lookedAt // others are looked at meanwhile, which tells nothing about this one
		}
		own, late := w.chances(h, from)
		w.quick = h.mean() < quick && !late
		price = p.price(h)
		if together {
			chances, longest = append(chances, own...), min(longest, p.longest(w, h))
			continue
		}
		w.due = from.Add(p.within(balance(own, price), p.longest(w, h)))
		next = min(next, max(0, w.due.Sub(now)))
	}
	if together && len(chances) > 0 {
		next = p.within(balance(chances, price*time.Duration(p.pages)), longest)
	}
	return next, all
}

// longest is how long w may go without a look. What is soon over need not be seen
// going on; but one that took long says little about the others.
func (p *poller) longest(w *watcher, h history) time.Duration {
	switch {
	case p.ledger.spent() >= 1:
		return rarest
	case w.quick:
		return max(p.cloud.opts.PollMax, h.usual()*3/2)
	}
	return p.cloud.opts.PollMax
}

// within keeps the time until a look within what may be.
func (p *poller) within(d, longest time.Duration) time.Duration {
	return min(max(d, p.cloud.opts.PollInterval), longest)
}

// price is what one call is worth, in time that an end goes unseen: less where little
// is known, since those are few, and more where looks were too many.
func (p *poller) price(h history) time.Duration {
	dear := min(1, float64(len(h))/settling)
	if ended := float64(p.cloud.foreseen.Load()); ended > settling {
		over := min(max(float64(p.cloud.looks.Load())/ended/enough, 0.5), 2)
		dear *= over * over
	}
	return time.Duration(float64(h.mean()) * worth * dear)
}

// usual is how long one took in the middle of them all.
func (h history) usual() time.Duration {
	sorted := slices.Sorted(slices.Values(h))
	return sorted[len(sorted)/2]
}

func (h history) mean() time.Duration {
	var sum time.Duration
	for _, d := range h {
		sum += d
	}
	return sum / time.Duration(len(h))
}

// chances are when w may end. What should have ended by all that is known, and is late,
// may at any moment.
func (w *watcher) chances(h history, now time.Time) (out []chance, late bool) {
	elapsed := now.Sub(w.began)
	guesses := h.guess()
	first, _ := slices.BinarySearch(guesses, elapsed+1)
	if first == len(guesses) {
		return []chance{{elapsed / overdue, 1}}, true
	}
	out = make([]chance, 0, len(guesses)-first)
	for _, g := range guesses[first:] {
		out = append(out, chance{g - elapsed, 1 / float64(len(guesses)-first)})
	}
	return out, false
}
