package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/projections/sink"
	"roznamcha/projections/worker"
)

// TestStatusOfWhatCannotBeTold: where the sinks cannot be told, or the workers that
// answer no more, status says so, and all else as it is.
func TestStatusOfWhatCannotBeTold(t *testing.T) {
	p := inDir{t, filepath.Join(t.TempDir(), "data")}
	p.must("open", "--name", "test", "--country", "PK", "--zone", "Asia/Karachi")
	serve := p.serve()
	nc := p.dial()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, bucket := range []string{sink.Bucket, worker.AttendanceBucket} {
		stream := jetstream.StreamConfig{Name: "KV_" + bucket, Subjects: []string{"no." + bucket}, MaxMsgsPerSubject: -1} // no bucket
		if _, err := js.CreateStream(ctx, stream); err != nil {
			t.Fatal(err)
		}
	}
	is := strings.Join(strings.Fields(p.must("status")), " ")
	if !strings.Contains(is, " sinks cannot be told: ask bucket") || !strings.Contains(is, " which answer no more cannot be told: open bucket") || !strings.Contains(is, " entries 1 ·") {
		t.Errorf("it says\n%s", is)
	}
	serve.interrupt()
}
