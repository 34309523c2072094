// Package resolve replaces the resolver calls in a stack's values, such as
// !stack_output, by what they give.
//
// It asks for everything outside the value through small ports, and knows
// neither AWS nor the process. What cannot be known yet becomes a
// stacks.Unknown that says what it waits for; what must not be shown is marked
// secret, and stays so in everything made from it.
//
// One call stays as it is: !previous, which keeps a parameter's live value, is
// no value at all. It comes back as a Call named Previous, its argument
// resolved, and only as a whole value; prepare makes UsePreviousValue of it,
// or takes the default.
package resolve
