package eventstore

import (
	"errors"

	"roznamcha/domain"
)

// The codes of what the recorder could not answer for.
const (
	Busy           domain.Code = "busy"
	Unavailable    domain.Code = "unavailable"
	DiskFull       domain.Code = "disk-full"
	OutcomeUnknown domain.Code = "outcome-unknown"
	NoLedger       domain.Code = "no-ledger"
	NotEmpty       domain.Code = "not-empty"
	NoJetStream    domain.Code = "no-jetstream"
	Denied         domain.Code = "denied"
	Rejected       domain.Code = "rejected"
	Closed         domain.Code = "closed"
	Unsafe         domain.Code = "unsafe-stream"
	Gap            domain.Code = "gap"
	WentBack       domain.Code = "went-back"
)

// answers are those codes, with the kind of error that each stands for; nil for
// the errors that are types.
var answers = []struct {
	kind error
	domain.CodeInfo
}{
	{ErrBusy, domain.CodeInfo{Code: Busy, Means: "the recorder holds a bounded number of events that wait for their receipts", Cure: "submit it again in a moment", Retry: true}},
	{ErrUnavailable, domain.CodeInfo{Code: Unavailable, Means: "recording needs the server that keeps the ledger", Cure: "submit it again when that server can be reached", Retry: true}},
	{ErrDiskFull, domain.CodeInfo{Code: DiskFull, Means: "recording stops before the disk of the ledger is full", Cure: "make room on that disk, then submit it again", Retry: true}},
	{ErrUnknownOutcome, domain.CodeInfo{Code: OutcomeUnknown, Means: "the answer did not come in time: the event may be recorded or not", Cure: "submit the same events again, with the same ids: what is recorded is answered as a duplicate", Retry: true}},
	{ErrNoLedger, domain.CodeInfo{Code: NoLedger, Means: "the server has no ledger", Cure: "open one (roznamcha open), or name another server", Retry: false}},
	{ErrNotEmpty, domain.CodeInfo{Code: NotEmpty, Means: "a ledger is opened by its first entry", Cure: "go on recording if entry 1 opens the ledger that is meant", Retry: false}},
	{ErrTooLarge, domain.TooLarge.Info()},
	{ErrNoJetStream, domain.CodeInfo{Code: NoJetStream, Means: "the ledger is a JetStream stream", Cure: "start the server with JetStream, or use an account that has it", Retry: false}},
	{ErrDenied, domain.CodeInfo{Code: Denied, Means: "the server lets nobody do what is not permitted", Cure: "check the credentials, and what they may publish and subscribe to", Retry: false}},
	{ErrRejected, domain.CodeInfo{Code: Rejected, Means: "the server refuses for the reason that the detail gives", Cure: "mend what the detail names", Retry: false}},
	{ErrClosed, domain.CodeInfo{Code: Closed, Means: "the recorder has ended", Cure: "submit it again when a recorder runs (roznamcha serve)", Retry: true}},
	{nil, domain.CodeInfo{Code: Unsafe, Means: "a ledger's stream can lose and change nothing", Cure: "let the operator mend the stream's setting that the detail names", Retry: false}},
	{nil, domain.CodeInfo{Code: Gap, Means: "the numbers of a ledger's entries have no gap", Cure: "stop recording, keep the store as it is, and let the operator restore it alone from a copy, with high-water.json left where it is", Retry: false}},
	{nil, domain.CodeInfo{Code: WentBack, Means: "a ledger never gets shorter and no entry of it changes", Cure: "stop recording, keep the store as it is, and let the operator restore it alone from a copy, with high-water.json left where it is", Retry: false}},
}

// CodeInfos is every code with which the recorder's service leaves an event
// unanswered, sorted as the errors of this package are; domain.CodeInfos are
// those with which it refuses. (An entry that the server does not take is
// answered domain.TooLarge, which is there.)
var CodeInfos = func() (infos []domain.CodeInfo) {
	for _, a := range answers {
		if a.Code != domain.TooLarge {
			infos = append(infos, a.CodeInfo)
		}
	}
	return infos
}()

// CodeInfoOf is what a code means, one of CodeInfos or of domain.CodeInfos.
func CodeInfoOf(code domain.Code) domain.CodeInfo {
	for _, a := range answers {
		if a.Code == code {
			return a.CodeInfo
		}
	}
	return code.Info()
}

// CodeOf is the code of an error of this package; Closed for another one, for
// which a recorder may have ended.
func CodeOf(err error) domain.Code {
	var e *Error
	var unsafe *UnsafeError
	var gap *GapError
	var back *WentBackError
	switch {
	case errors.As(err, &gap):
		return Gap
	case errors.As(err, &back):
		return WentBack
	case errors.As(err, &unsafe):
		return Unsafe
	case errors.As(err, &e):
		err = e.Kind // not its cause, which may be another
	}
	for _, a := range answers {
		if a.kind != nil && errors.Is(err, a.kind) {
			return a.Code
		}
	}
	return Closed
}
