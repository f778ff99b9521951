package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/projections/sink"
)

// TestStatusWithoutItsSinks: where they cannot be told, status says so, and all
// else as it is.
func TestStatusWithoutItsSinks(t *testing.T) {
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
	stream := jetstream.StreamConfig{Name: "KV_" + sink.Bucket, Subjects: []string{"else"}, MaxMsgsPerSubject: -1} // no bucket
	if _, err := js.CreateStream(ctx, stream); err != nil {
		t.Fatal(err)
	}
	is := strings.Join(strings.Fields(p.must("status")), " ")
	if !strings.Contains(is, " sinks cannot be told: ask bucket") || !strings.Contains(is, " entries 1 ·") {
		t.Errorf("it says\n%s", is)
	}
	serve.interrupt()
}
