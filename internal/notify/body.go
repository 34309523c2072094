package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/deployer-cli/deployer/internal/event"
)

// Message is what is published to a topic.
type Message struct {
	Subject    string // ASCII, at most 100 characters: SNS takes no other
	JSON       []byte // the announcement
	Text       string // the same for people: what mail holds
	Attributes map[string]string
}

// maxSubject is SNS's bound of a subject, in characters.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const maxSubject = 100

// For is what a target is told: all of an announcement with full_detail. Without
// it nothing of what the caller wrote is passed on but the environment and the
// break's id, so that no stack's name and no account is in it.
func For(a event.Announcement, t Target) event.Announcement {
	a.Exercise = true
	a.Severity = a.Weight()
	if !t.FullDetail {
		a.Stacks, a.Account, a.Region = nil, "", ""
		a.Title, a.Text = title(a), text(a)
		return a
	}
	if a.Title == "" {
		a.Title = title(a)
	}
	if a.Text == "" {
		a.Text = text(a)
	}
	a.Title, a.Text = marked(a.Title), marked(a.Text)
	return a
}

// marked says that this is an exercise, where a text does not.
func marked(text string) string {
	if low := strings.ToLower(text); strings.HasPrefix(low, "exercise:") || strings.Contains(low, "an exercise") {
		return text // the word alone may be a part of a stack's name
	}
	return "EXERCISE: " + text
}

func title(a event.Announcement) string {
	where := a.Environment
	if a.Realm != "" && a.Realm != "aws" {
		where += " (" + string(a.Realm) + ")"
	}
	what := a.Event
	switch a.Event {
	case event.Planned:
		what = "is going to be broken"
	case event.Started:
		what = "is being broken now"
	case event.Stopped:
		what = "is not broken any further"
	case event.Restored:
		what = "is restored" + after(a)
	case event.Missed:
		what = "is not back within its objective" + of(a)
	case event.Finished:
		what = "is no longer part of an exercise"
	}
	return "EXERCISE: " + where + " " + what
}

// after tells a recovery time and whether it met the objective.
func after(a event.Announcement) string {
	if a.Seconds <= 0 {
		return ""
	}
	out := " after " + seconds(a.Seconds)
	switch {
	case a.Objective <= 0:
	case a.Seconds <= a.Objective:
		out += ", within the objective of " + seconds(a.Objective)
	default:
		out += ", " + seconds(a.Seconds-a.Objective) + " longer than the objective of " + seconds(a.Objective)
	}
	return out
}

func of(a event.Announcement) string {
	if a.Objective <= 0 {
		return ""
	}
	return " of " + seconds(a.Objective)
}

// seconds is a span for a reader: 12m30s, 30m, 2h.
func seconds(s float64) string {
	text := time.Duration(s * float64(time.Second)).Round(time.Second).String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

func text(a event.Announcement) string {
	out := "This is an exercise (break " + a.Break + "): " + strings.TrimPrefix(title(a), "EXERCISE: ") + "."
	if a.Break == "" {
		out = "This is an exercise: " + strings.TrimPrefix(title(a), "EXERCISE: ") + "."
	}
	if a.Event == event.Planned || a.Event == event.Started {
		out += " It is done on purpose, with deployer, and what is broken can be put back."
	}
	return out
}

// Body is the announcement as JSON, as a command and a function get it.
func Body(a event.Announcement, t Target) []byte { return encode(For(a, t)) }

// WebhookBody is what is posted: {"text": …}, as Slack's incoming webhooks and
// what follows them (Mattermost, Rocket.Chat, Teams through a workflow) read it.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func WebhookBody(a event.Announcement, t Target) []byte {
	a = For(a, t)
	var b strings.Builder
	fmt.Fprintf(&b, "*%s*\n%s", escape(a.Title), escape(a.Text))
	if len(a.Stacks) > 0 {
		names := make([]string, 0, len(a.Stacks))
		for _, p := range a.Stacks {
			names = append(names, string(p))
		}
		fmt.Fprintf(&b, "\nStacks: %s", escape(strings.Join(names, ", ")))
	}
	if a.Account != "" {
		fmt.Fprintf(&b, "\nAccount %s, %s", escape(a.Account), escape(a.Region))
	}
	return encode(struct {
		Text string `json:"text"`
	}{b.String()})
}

// escape keeps a text from being read as Slack's mark-up: mentions and links.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// SNSMessage is what is published to a topic.
func SNSMessage(a event.Announcement, t Target) Message {
	a = For(a, t)
	return Message{
		Subject: subject(a.Title), JSON: encode(a), Text: a.Title + "\n\n" + a.Text + "\n",
		Attributes: map[string]string{"event": a.Event, "environment": a.Environment, "severity": a.Severity},
	}
}

// subject makes a text fit for a subject.
func subject(text string) string {
	out := strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r < ' ' || r > '~':
			return -1
		}
		return r
	}, text))
	if len(out) > maxSubject {
		out = out[:maxSubject-3] + "..."
	}
	return out
}

// encode writes JSON without turning < and > into something else.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts, numbers and a time: it cannot fail
	return bytes.TrimSpace(b.Bytes())
}
