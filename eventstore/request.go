package eventstore

import (
	"bytes"
	"encoding/json"
	"fmt"

	"roznamcha/domain"
)

// Submissions reads the body of a request to the recorder's service: a JSON array
// of events is one submission; else a blank line stands between submissions, and
// each is lines of one event, or one event spread over lines. each is given a
// submission as lines, and the number of its first line in the body (of an array's
// event, its place). What a caller of the service's client hands in is read so too,
// but is one submission.
//
// A body that is larger than an entry, empty, or begins as an array and is none
// is refused as a whole, whatever each was given before.
func Submissions(body []byte, each func(line int, submission []byte)) *domain.Refusal {
	if len(body) > domain.MaxEntryBytes {
		return &domain.Refusal{Code: domain.TooLarge, Detail: fmt.Sprintf("the request has %d bytes; at most 1,048,576", len(body))}
	}
	text := bytes.TrimLeft(body, blank)
	if len(text) == 0 {
		return &domain.Refusal{Code: domain.Malformed, Detail: "the request is empty: want one CloudEvent, lines of one each, or a JSON array of them"}
	}
	if text[0] == '[' {
		return submissionOfArray(text, each)
	}
	line, events := 1, 0
	for rest := body; len(rest) > 0 && events <= domain.MaxLines; {
		var chunk []byte
		var skipped, took int
		chunk, rest, skipped, took = cutSubmission(rest)
		if len(chunk) == 0 {
			break
		}
		submission := unspread(chunk)
		events += 1 + bytes.Count(submission, []byte("\n"))
		each(line+skipped, submission)
		line += skipped + took
	}
	if events > domain.MaxLines {
		return &domain.Refusal{Code: domain.TooLarge, Detail: "the request has more than 1,000 events"}
	}
	return nil
}

// blank is what a blank line is made of.
const blank = " \t\r\n"

// cutSubmission is the first submission of text, without the blank lines before
// it, of which it tells how many were skipped, and of how many lines it is.
func cutSubmission(text []byte) (submission, rest []byte, skipped, lines int) {
	from := 0
	for at := 0; at < len(text); {
		end := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i
		}
		switch isBlank := len(bytes.Trim(text[at:end], blank)) == 0; {
		case !isBlank && lines == 0:
			from, lines = at, 1
		case !isBlank:
			lines++
		case lines == 0:
			skipped++
		default:
			return text[from : at-1], text[at:], skipped, lines
		}
		at = min(end+1, len(text))
	}
	if lines == 0 {
		return nil, nil, skipped, 0
	}
	return bytes.TrimRight(text[from:], blank), nil, skipped, lines
}

// unspread makes one line of an event that is spread over lines, and leaves
// everything else. Of one that is no JSON it makes one line that is none either, to
// be refused once: there the first line is no JSON by itself, and no other looks
// like an event by itself.
func unspread(submission []byte) []byte {
	first, others, several := bytes.Cut(submission, []byte("\n"))
	switch {
	case !several || json.Valid(first):
		return submission
	case json.Valid(submission):
		out, _ := domain.Compact(make([]byte, 0, len(submission)), submission) // valid JSON has nothing that it minds
		return out
	}
	for line := range bytes.Lines(others) {
		if bytes.HasPrefix(line, []byte("{")) && bytes.HasSuffix(bytes.TrimRight(line, blank), []byte("}")) {
			return submission
		}
	}
	// A carriage return is JSON's white space where a line feed is, and nowhere else.
	return bytes.ReplaceAll(submission, []byte("\n"), []byte("\r"))
}

func submissionOfArray(text []byte, each func(line int, submission []byte)) *domain.Refusal {
	var events []json.RawMessage
	if err := json.Unmarshal(text, &events); err != nil {
		return &domain.Refusal{Code: domain.Malformed, Detail: "the request begins as a JSON array and is none: " + err.Error()}
	}
	switch {
	case len(events) == 0:
		return &domain.Refusal{Code: domain.Malformed, Detail: "the request is an empty array"}
	case len(events) > domain.MaxLines:
		return &domain.Refusal{Code: domain.TooLarge, Detail: fmt.Sprintf("the request has %d events; at most 1,000", len(events))}
	}
	lines := make([]byte, 0, len(text))
	for i, event := range events {
		if i > 0 {
			lines = append(lines, '\n')
		}
		lines, _ = domain.Compact(lines, event) // as in unspread
	}
	each(1, lines)
	return nil
}
