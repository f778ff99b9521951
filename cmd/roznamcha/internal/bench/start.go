package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
)

// keeper is what is kept current beside a recorder's register.
type keeper struct {
	name, what string
	// rulings makes it, new, and gives what hands it a ruling.
	rulings func() func(*domain.Ruled)
}

// keepers are a recorder alone, and one as serve has it.
func (r *run) keepers() []keeper {
	return []keeper{
		{"recorder", "recorder alone", func() func(*domain.Ruled) { return nil }},
		{"serve", "recorder with what serve keeps", r.config.Serve},
	}
}

// starts measures recorders that start on the ledger in dir, which grows by an
// event each time.
func (r *run) starts(ctx context.Context, dir string, writers []*writer) error {
	for range r.config.Rounds {
		for _, k := range r.keepers() {
			if !r.wants("start/" + k.name) {
				continue
			}
			if err := r.start(ctx, dir, k, writers); err != nil {
				return err
			}
		}
	}
	return nil
}

// start measures one start, from nothing running to the first receipt.
func (r *run) start(ctx context.Context, dir string, k keeper, writers []*writer) (err error) {
	before := sumOf(writers).events
	began := time.Now()
	s, err := openSite(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r.report.Store.measuredOn(s)
	rulings := k.rulings()
	opened, busy := time.Now(), cpuTime()
	recorder, err := eventstore.NewRecorder(ctx, s.ledger, eventstore.RecorderConfig{Rulings: rulings})
	if err != nil {
		return err
	}
	caughtUp, spent := time.Now(), cost{cpuTime() - busy, before}
	line, persons := writers[0].next(nil)
	receipt, err := recorder.Record(ctx, line)
	answered := time.Now()
	if err := errors.Join(err, receipt.Err()); err != nil {
		return errors.Join(err, recorder.Close())
	}
	writers[0].accept(1, persons)

	with := liveHeap()
	runtime.KeepAlive(rulings)
	err = recorder.Close()
	recorder, rulings = nil, nil
	memory := with - liveHeap()
	name := fmt.Sprintf("start/%s/", k.name)
	if res := r.results[name+"catching-up"]; res != nil {
		r.add(res, float64(before)/caughtUp.Sub(opened).Seconds())
		res.spend(spent)
	}
	r.add(r.results[name+"first-answer"], answered.Sub(began).Seconds())
	r.add(r.results[name+"memory"], memory/float64(before+1))
	return err
}
