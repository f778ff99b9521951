package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"roznamcha/projections"
	"roznamcha/projections/worker"
)

// ask asks any worker; code is "" for a table.
func (h *house) ask(request string) (body []byte, code string) {
	h.t.Helper()
	var m *nats.Msg
	waitUntil(h.t, "an answer", func() (ok bool) {
		var err error
		m, err = h.nc.Request(worker.QuerySubject, []byte(request), patience)
		return err == nil
	})
	return m.Data, m.Header.Get(micro.ErrorCodeHeader)
}

// TestQuestions: any worker answers a question as totals would, as of any entry
// or time; what cannot be answered has a code and says what to try.
func TestQuestions(t *testing.T) {
	h := newHouse(t, 16<<10)
	h.raid("Karachi")
	h.raid("Lahore")
	last := h.raid("Karachi")
	w := h.work(worker.Config{})
	h.await(city, last)

	for request, want := range map[string]string{
		``: "3", `{}`: "3", `{"by":"city"}`: "3", `{"where":"city=Karachi"}`: "2",
		`{"as_of":"3"}`: "2", `{"period":"2024"}`: "0", `{"columns":"raids","by":"month","year_starts":4}`: "3",
		`{"as_of":"2999-01-01"}`: "3", `{"at_least":"4:1"}`: "3", `{"at_least":"4","within":"1s"}`: "3",
	} {
		body, code := h.ask(request)
		var v value
		if err := json.Unmarshal(body, &v); err != nil || code != "" || v.Total.Cells[0].Text != want {
			t.Errorf("%s: %s, %s, %v; want %s raids", request, code, body, err, want)
		}
	}
	body, _ := h.ask(`{"by":"city"}`)
	var got struct {
		Citation projections.Citation
	}
	_ = json.Unmarshal(body, &got)
	if want := h.replayed(byCity).Citation; got.Citation != want {
		t.Errorf("answered with %v, replayed %v", got.Citation, want)
	}

	for request, want := range map[string]string{
		`{"by":"colour"}`: worker.CodeWrong, `{"from":"2024"}`: worker.CodeWrong, `raids`: worker.CodeWrong,
		`{"at_least":"4:0"}`: worker.CodeWrong, `{"at_least":""}`: worker.CodeWrong, `{"within":"2h"}`: worker.CodeWrong, `{"as_of":"1999-01-01"}`: worker.CodeWrong,
		`{"at_least":"5:1"}`: worker.CodeNotYet, `{"at_least":"5:1","within":"50ms"}`: worker.CodeNotYet, `{"as_of":"5"}`: worker.CodeNotYet,
	} {
		body, code := h.ask(request)
		var v struct {
			Error struct {
				Code, Detail string
				Entry        uint64
			}
		}
		if err := json.Unmarshal(body, &v); err != nil || code != want || v.Error.Code != want || v.Error.Detail == "" || v.Error.Entry != last {
			t.Errorf("%s: %q, %s, %v; want %s", request, code, body, err, want)
		}
	}
	for i := range 300 {
		last = h.raid(fmt.Sprintf("City %03d", i))
	}
	if body, code := h.ask(fmt.Sprintf(`{"by":"city","at_least":"%d","within":"30s"}`, last)); code != worker.CodeTooLarge {
		t.Errorf("too large: %q, %.200s", code, body)
	}
	if answered := w.Status().Answered; answered[worker.CodeNotYet] != 3 || answered[""] < 11 {
		t.Errorf("counted: %v", answered)
	}
	w.end(t)
}

// TestWaitingForOnesOwnWrite: who asks for an entry that is not there yet gets a
// table with it as soon as it is.
func TestWaitingForOnesOwnWrite(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	h.await(city, h.raid("Karachi"))
	h.ask("") // until there is who answers
	answers := make(chan *nats.Msg)
	go func() {
		m, _ := h.nc.Request(worker.QuerySubject, []byte(`{"at_least":"4:1","within":"30s"}`), patience)
		answers <- m
	}()
	h.raid("Karachi")
	select {
	case m := <-answers:
		t.Fatalf("answered too early: %s", m.Data)
	case <-time.After(20 * time.Millisecond):
	}
	h.raid("Karachi")
	m := <-answers
	var v value
	if err := json.Unmarshal(m.Data, &v); err != nil || v.Citation.Entry < 4 {
		t.Errorf("answered %s: %v", m.Data, err)
	}
	w.end(t)
}

// TestNobodyIsAnsweredInTheLedger: a reply subject of the ledger's gets nothing.
func TestNobodyIsAnsweredInTheLedger(t *testing.T) {
	h := newHouse(t, 0)
	w := h.work(worker.Config{})
	entry := h.raid("Karachi")
	h.await(city, entry)
	h.ask("")
	if err := h.nc.PublishRequest(worker.QuerySubject, "ledger.entry", nil); err != nil {
		t.Fatal(err)
	}
	for range 20 { // and that one is long answered, if it is
		h.ask("")
	}
	if tail, err := h.ledger.Tail(soon(t)); err != nil || tail != entry {
		t.Errorf("the ledger ends at %d: %v", tail, err)
	}
	w.end(t)
}

// TestWorkersAnnounceThemselves: who runs is there, and who has gone is not.
func TestWorkersAnnounceThemselves(t *testing.T) {
	h := newHouse(t, 0)
	all, err := worker.Workers(soon(t), h.nc)
	if err != nil || len(all) != 0 {
		t.Errorf("none runs: %v, %v", all, err)
	}
	first, second := h.work(worker.Config{}), h.work(worker.Config{Version: 2})
	entry := h.raid("Karachi")
	var lag worker.Lag
	waitUntil(t, "two workers", func() bool {
		all, err = worker.Workers(soon(t), h.nc)
		if err != nil {
			t.Fatal(err)
		}
		return len(all) == 2 && all[0].Stats.Entries == entry && all[1].Stats.Entries == entry
	})
	for _, is := range all {
		if lag, err = worker.LagOf(soon(t), h.ledger, is.Stats.Entries); err != nil || lag != (worker.Lag{}) {
			t.Errorf("lag %v: %v", lag, err)
		}
	}
	if lag, err = worker.LagOf(soon(t), h.ledger, 1); err != nil || lag.Entries != 1 || lag.Seconds <= 0 {
		t.Errorf("lag of entry 1: %v, %v", lag, err)
	}
	first.end(t)
	second.end(t)
	if all, err = worker.Workers(soon(t), h.nc); err != nil || len(all) != 0 {
		t.Errorf("all have gone: %v, %v", all, err)
	}
}

// TestPromotion: a new version is built beside the old one, compared with it at
// the same entry, and takes its place in one step.
func TestPromotion(t *testing.T) {
	h := newHouse(t, 0)
	old := h.work(worker.Config{}.Renewing(300 * time.Millisecond)) // and so sees the pointer all the time
	entry := h.raid("Karachi")
	h.await(city, entry)
	if _, err := worker.ComparePromotion(soon(t), h.nc, 2); err == nil || !strings.Contains(err.Error(), "no worker of version 2 answers. Try: ") {
		t.Errorf("without a worker of version 2: %v", err)
	}
	next := h.work(worker.Config{Version: 2})
	h.await("totals.r1.v2.city", entry)
	entry = h.raid("Lahore")
	p, err := worker.ComparePromotion(soon(t), h.nc, 2)
	if err != nil || p.Differences() != 0 || len(p.Tables) != 5 || p.From != "totals.r1.v1" || p.To != "totals.r1.v2" || p.Moved {
		t.Fatalf("compared: %+v, %v", p, err)
	}
	late, err := worker.ComparePromotion(soon(t), h.nc, 2)
	if err != nil {
		t.Fatal(err)
	}
	led := func(version int) func() bool {
		return func() bool {
			var v value
			body, _ := h.ask(fmt.Sprintf(`{"at_least":"%d","within":"30s"}`, entry))
			return json.Unmarshal(body, &v) == nil && v.Stamp.Version == version
		}
	}
	waitUntil(t, "version 1 answers", led(1))
	if err := p.Move(soon(t)); err != nil || !p.Moved {
		t.Fatal(err)
	}
	if err := late.Move(soon(t)); err == nil || !strings.Contains(err.Error(), "was moved meanwhile") {
		t.Errorf("who came late: %v", err)
	}
	waitUntil(t, "version 2 answers", led(2))
	waitUntil(t, "both know", func() bool { return next.Status().Current && !old.Status().Current })
	waitUntil(t, "only version 2 answers", func() bool {
		for range 20 {
			if !led(2)() {
				return false
			}
		}
		return true
	})

	old.end(t)
	h.await("totals.r1.v2.city", entry)
	if _, err := worker.ComparePromotion(soon(t), h.nc, 1); err == nil {
		t.Error("back to a version that nobody works on")
	}
	next.end(t)
}

// TestPromotionTellsWhatDiffers: a cell that is not the same in both versions is
// named, and neither version is touched.
func TestPromotionTellsWhatDiffers(t *testing.T) {
	h := newHouse(t, 0)
	old := h.work(worker.Config{})
	entry := h.raid("Karachi")
	h.await("totals.r1.v1.all", entry)
	h.await(city, entry)
	old.end(t)
	h.forge(city, func(v *map[string]any) {
		row := (*v)["rows"].([]any)[0].(map[string]any)
		row["cells"].([]any)[0].(map[string]any)["text"] = "7"
	})
	_, before := h.at(city)
	next := h.work(worker.Config{Version: 2})
	h.await("totals.r1.v2.city", entry)
	p, err := worker.ComparePromotion(soon(t), h.nc, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := worker.CellDifference{Row: "Karachi", Column: "raids", Was: "7", Is: "1"}
	for _, table := range p.Tables {
		switch {
		case table.Name != "city" && len(table.Cells) > 0,
			table.Name == "city" && (len(table.Cells) != 1 || table.Cells[0] != want):
			t.Errorf("%+v", table)
		}
	}
	pointer, err := h.bucket().Get(soon(t), worker.CurrentKey)
	if _, after := h.at(city); after != before || err != nil || string(pointer.Value()) != "totals.r1.v1" {
		t.Errorf("the old version was touched: revision %d after %d, readers led to %s", after, before, pointer.Value())
	}
	next.end(t)
}

// TestPromotionOfATableThatIsTooLarge: what neither version can publish is the
// same in both, and holds nothing up.
func TestPromotionOfATableThatIsTooLarge(t *testing.T) {
	h := newHouse(t, 8<<10)
	var entry uint64
	for i := range 200 {
		entry = h.raid(fmt.Sprintf("City %03d", i))
	}
	old, next := h.work(worker.Config{}), h.work(worker.Config{Version: 2})
	if v := h.await(city, entry); v.Problem == "" {
		t.Fatalf("it is not too large: %+v", v)
	}
	h.await("totals.r1.v1.all", entry)
	h.await("totals.r1.v2.city", entry)
	p, err := worker.ComparePromotion(soon(t), h.nc, 2)
	if err != nil || p.Differences() != 0 {
		t.Fatalf("compared: %+v, %v", p, err)
	}
	if err := p.Move(soon(t)); err != nil || !p.Moved {
		t.Error(err)
	}
	old.end(t)
	next.end(t)
}

// TestWorkersThatAnswerNoMore: who did not end as it should is told of, with when it
// was last seen and where, and why it ended; who did is not.
func TestWorkersThatAnswerNoMore(t *testing.T) {
	h := newHouse(t, 0)
	gone := func() []worker.Gone {
		answer, err := worker.Workers(soon(t), h.nc)
		if err != nil {
			t.Fatal(err)
		}
		gone, err := worker.WorkersGone(soon(t), h.nc, answer)
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	if all := gone(); len(all) != 0 {
		t.Errorf("before there was one: %+v", all)
	}
	entry := h.raid("Karachi")
	first, second := h.work(worker.Config{}), h.work(worker.Config{})
	h.await(city, entry)
	waitUntil(t, "two workers", func() bool { all, err := worker.Workers(soon(t), h.nc); return err == nil && len(all) == 2 })
	if all := gone(); len(all) != 0 {
		t.Errorf("while they run: %+v", all)
	}
	second.end(t)
	h.forge(city, func(v *map[string]any) { (*v)["stamp"].(map[string]any)["state"] = strings.Repeat("ab", 32) })
	alarm := first.failed(t)
	all := gone()
	if len(all) != 1 || all[0].ID != first.Status().ID || all[0].Stats.Entries != entry || all[0].Trouble != alarm.Error() || time.Since(all[0].Seen) > time.Hour {
		t.Errorf("after %v: %+v", alarm, all)
	}
}

// TestWhatReadersFind: the tables that readers are led to and how old they are, with
// no worker, too.
func TestWhatReadersFind(t *testing.T) {
	h := newHouse(t, 0)
	if _, err := worker.Look(soon(t), h.nc); !errors.Is(err, worker.ErrNoBucket) {
		t.Errorf("before there was a worker: %v", err)
	}
	w := h.work(worker.Config{})
	entry := h.raid("Karachi")
	for _, table := range worker.DefaultTables() {
		h.await("totals.r1.v1."+table.Name, entry)
	}
	w.end(t)
	h.raid("Lahore")
	kept, err := worker.Look(soon(t), h.nc)
	if err != nil || kept.Prefix != "totals.r1.v1" || len(kept.Tables) != 5 || kept.Tables[1].Name != "all" {
		t.Fatalf("%+v, %v", kept, err)
	}
	if _, err := h.bucket().Put(soon(t), city, []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	if kept, err = worker.Look(soon(t), h.nc); err != nil {
		t.Fatal(err)
	}
	if oldest, ok := kept.Oldest(); !ok || oldest.Name != "city" || oldest.Entry != 0 || kept.Tables[1].Entry != entry {
		t.Errorf("%+v: oldest %+v", kept, oldest)
	}
	h.spoil("nonsense")
	if kept, err = worker.Look(soon(t), h.nc); err != nil || kept.Prefix != "nonsense" || len(kept.Tables) != 0 {
		t.Errorf("%+v, %v", kept, err)
	}
}
