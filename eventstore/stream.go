package eventstore

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/domain"
)

// subjects are the ledger's, and no others: entries of recorders, and of
// trusted writers who publish straight to a diary.
var subjects = []string{"ledger.diary.*.*", domain.EntrySubject}

// safeStream is the configuration of a stream that keeps everything, in order
// and unchanged, on so many servers.
func safeStream(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              StreamName,
		Description:       "Roznamcha: the ledger. Nothing in it is ever changed or deleted.",
		Subjects:          subjects,
		Storage:           jetstream.FileStorage,
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgsPerSubject: -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Replicas:          replicas,
		DenyDelete:        true,
		DenyPurge:         true,
		AllowDirect:       true,
	}
}

// setting is one rule of ledger-safety, by the name that the setting has in
// the stream's configuration.
type setting struct {
	name, want string
	is         func(*jetstream.StreamConfig) string
}

type config = jetstream.StreamConfig

// settings are all rules, in the order in which checkSafe looks. What is not
// here is harmless: replicas, placement, compression, the duplicate window
// (the register makes it unnecessary), metadata, atomic and batched publishing.
var settings = []setting{
	// What would take entries out again, or change them.
	{"storage", "File", func(c *config) string { return c.Storage.String() }},
	{"retention", "Limits", func(c *config) string { return c.Retention.String() }},
	{"max_age", "0s", func(c *config) string { return c.MaxAge.String() }},
	{"max_msgs", "-1", func(c *config) string { return number(c.MaxMsgs) }},
	{"max_bytes", "-1", func(c *config) string { return number(c.MaxBytes) }},
	{"max_msgs_per_subject", "-1", func(c *config) string { return number(c.MaxMsgsPerSubject) }},
	{"allow_msg_counter", "false", func(c *config) string { return yes(c.AllowMsgCounter) }},
	{"allow_msg_schedules", "false", func(c *config) string { return yes(c.AllowMsgSchedules) }},
	{"allow_rollup_hdrs", "false", func(c *config) string { return yes(c.AllowRollup) }},
	{"allow_msg_ttl", "false", func(c *config) string { return yes(c.AllowMsgTTL) }},
	{"subject_delete_marker_ttl", "0s", func(c *config) string { return c.SubjectDeleteMarkerTTL.String() }},

	// What would put something else in.
	{"mirror", "none", func(c *config) string { return none(c.Mirror == nil, func() string { return c.Mirror.Name }) }},
	{"sources", "none", func(c *config) string { return none(len(c.Sources) == 0, func() string { return c.Sources[0].Name }) }},
	{"subjects", fmt.Sprint(subjects), func(c *config) string { return fmt.Sprint(slices.Sorted(slices.Values(c.Subjects))) }},
	{"subject_transform", "none", func(c *config) string {
		return none(c.SubjectTransform == nil, func() string { return c.SubjectTransform.Source + " to " + c.SubjectTransform.Destination })
	}},
	{"first_seq", "1", func(c *config) string { return number(max(1, c.FirstSeq)) }},

	// What would let a person do either.
	{"discard", "DiscardNew", func(c *config) string { return c.Discard.String() }},
	{"deny_delete", "true", func(c *config) string { return yes(c.DenyDelete) }},
	{"deny_purge", "true", func(c *config) string { return yes(c.DenyPurge) }},

	// What would let an acknowledgement lie, or a reader or writer stall.
	{"no_ack", "false", func(c *config) string { return yes(c.NoAck) }},
	{"persist_mode", "Default", func(c *config) string { return c.PersistMode.String() }},
	{"sealed", "false", func(c *config) string { return yes(c.Sealed) }},
	{"max_msg_size", "-1", func(c *config) string { return number(c.MaxMsgSize) }},
	{"max_consumers", "-1", func(c *config) string { return number(c.MaxConsumers) }},
	{"consumer_limits", "none", func(c *config) string {
		l := c.ConsumerLimits
		return none(l == jetstream.StreamConsumerLimits{}, func() string { return fmt.Sprintf("%v and %d pending", l.InactiveThreshold, l.MaxAckPending) })
	}},
	{"allow_direct", "true", func(c *config) string { return yes(c.AllowDirect) }},

	// What would show entries to others.
	{"republish", "none", func(c *config) string {
		return none(c.RePublish == nil, func() string { return "to " + c.RePublish.Destination })
	}},
}

// checkSafe names the first setting of c with which the stream could lose or
// change what was recorded.
func checkSafe(c jetstream.StreamConfig) error {
	for _, s := range settings {
		if is := s.is(&c); is != s.want {
			return &UnsafeError{s.name, is, s.want}
		}
	}
	return nil
}

func number[N int32 | int64 | int | uint64](n N) string { return fmt.Sprint(n) }

func yes(b bool) string { return strconv.FormatBool(b) }

// none is "none", or what there is.
func none(isNone bool, what func() string) string {
	if isNone {
		return "none"
	}
	return what()
}
