package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"roznamcha/projections/worker"
)

// stream is the bucket's stream, with its settings, which are those of a bucket
// that workers make unless there is one already.
func (h *house) stream() (jetstream.JetStream, jetstream.StreamConfig) {
	h.t.Helper()
	js, err := jetstream.New(h.nc)
	if err != nil {
		h.t.Fatal(err)
	}
	stream, err := js.Stream(soon(h.t), "KV_"+worker.Bucket)
	if err != nil {
		h.t.Fatal(err)
	}
	return js, stream.CachedInfo().Config
}

// TestUnsafeBucket: in a bucket that would lose tables without a word nothing is
// published; the setting is named, by the worker and by a promotion; and when it
// is mended the worker goes on, and nothing that was there is older than before.
func TestUnsafeBucket(t *testing.T) {
	for setting, change := range map[string]func(*jetstream.StreamConfig){
		"max_age":  func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"discard":  func(c *jetstream.StreamConfig) { c.Discard, c.MaxBytes = jetstream.DiscardOld, 64<<10 },
		"subjects": func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "tables.>") },
		"subject_transform": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "$KV." + worker.Bucket + ".>", Destination: "$KV." + worker.Bucket + ".moved.>"}
		},
		"sources": func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "LEDGER"}} },
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 0)
			w := h.work(worker.Config{}.Renewing(time.Second))
			h.await(city, h.raid("Karachi"))
			js, config := h.stream()
			bad := config
			bad.Subjects = append([]string{}, config.Subjects...)
			change(&bad)
			if _, err := js.UpdateStream(soon(t), bad); err != nil {
				t.Fatal(err)
			}
			waitUntil(t, "it says so", func() bool { return strings.Contains(w.Status().Trouble, ": "+setting+" is ") })
			before, revision := h.at(city)
			h.raid("Lahore")
			var unsafe *worker.BucketError
			if _, err := worker.ComparePromotion(soon(t), h.nc, 1); !errors.As(err, &unsafe) || unsafe.Setting != setting || !strings.Contains(err.Error(), "Try: ") {
				t.Errorf("promoted: %v", err)
			}
			if _, after := h.at(city); after != revision {
				t.Errorf("written after entry %d", before.Stamp.Mark.Entry)
			}
			if _, err := js.UpdateStream(soon(t), config); err != nil {
				t.Fatal(err)
			}
			h.await(city, 3)
			waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
			w.end(t)
		})
	}
}

// TestBucketOfAnothersMaking: a stream of the bucket's name that is no bucket is
// told; a bucket that somebody made with more history is one.
func TestBucketOfAnothersMaking(t *testing.T) {
	h := newHouse(t, 0)
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(soon(t), jetstream.StreamConfig{Name: "KV_" + worker.Bucket, Subjects: []string{"$KV." + worker.Bucket + ".>"}}); err != nil {
		t.Fatal(err)
	}
	entry := h.raid("Karachi")
	w := h.work(worker.Config{})
	waitUntil(t, "it says so", func() bool { return strings.Contains(w.Status().Trouble, "max_msgs_per_subject is ") })
	if err := js.DeleteStream(soon(t), "KV_"+worker.Bucket); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(soon(t), jetstream.KeyValueConfig{Bucket: worker.Bucket, History: 5, Storage: jetstream.MemoryStorage}); err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
		t.Fatal(err)
	}
	h.await(city, entry)
	waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
	w.end(t)
}

// TestFullBucket: where there is no room for a table the worker says so, tries
// again without an end, and goes on when there is room.
func TestFullBucket(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	js, config := h.stream()
	full := config
	full.MaxBytes = 1 // less than there is
	if _, err := js.UpdateStream(soon(t), full); err != nil {
		t.Fatal(err)
	}
	entry := h.raid("Lahore")
	waitUntil(t, "it says so", func() bool { return strings.Contains(w.Status().Trouble, "key "+city+": ") })
	if v, _ := h.at(city); v.Stamp.Mark.Entry != 2 {
		t.Errorf("the table is of entry %d", v.Stamp.Mark.Entry)
	}
	if _, err := js.UpdateStream(soon(t), config); err != nil {
		t.Fatal(err)
	}
	h.await(city, entry)
	waitUntil(t, "no trouble", func() bool { return w.Status().Trouble == "" })
	w.end(t)
}

// TestSpoiltTables: what is no table at a key, or an older one, is written over;
// so is all where the stream was emptied behind everybody's back.
func TestSpoiltTables(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{}.Renewing(time.Second))
	entry := h.raid("Karachi")
	h.await(city, entry)
	kv := h.bucket()
	older, err := kv.Get(soon(t), city)
	if err != nil {
		t.Fatal(err)
	}
	h.await(city, h.raid("Lahore"))
	for name, value := range map[string]string{"nonsense": "nonsense", "an empty value": "", "another's JSON": `{"stamp":[]}`, "an older table": string(older.Value())} {
		revision, err := kv.Put(soon(t), city, []byte(value))
		if err != nil {
			t.Fatal(err)
		}
		waitUntil(t, name+" is written over", func() bool {
			e, err := kv.Get(soon(t), city)
			return err == nil && e.Revision() > revision
		})
		if v := h.await(city, 3); v.Total.Cells[0].Text != "2" {
			t.Errorf("%s became %+v", name, v)
		}
	}
	js, _ := h.stream()
	stream, err := js.Stream(soon(t), "KV_"+worker.Bucket)
	if err == nil {
		err = stream.Purge(soon(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	h.await(city, 3)
	waitUntil(t, "the pointer", func() bool { return h.pointer() == "totals.r1.v1" })
	w.end(t)
}
