package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"roznamcha/domain"
	"roznamcha/eventstore"
	"roznamcha/projections"
)

// keeper is what is kept current beside a recorder's register.
type keeper struct {
	name, what  string
	projections func() []projections.Projection
}

// keepers are a recorder alone, and one as serve has it.
var keepers = []keeper{
	{"recorder", "recorder", func() []projections.Projection { return nil }},
	{"totals", "recorder with totals and exceptions", func() []projections.Projection {
		return []projections.Projection{projections.NewTotals(), projections.NewExceptions()}
	}},
}

// starts measures recorders that start on the ledger in dir, which grows by an
// event each time.
func (r *run) starts(ctx context.Context, dir string, writers []*writer) error {
	for range r.config.Rounds {
		for _, k := range keepers {
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
	kept := k.projections()
	opened, busy := time.Now(), cpuTime()
	recorder, err := eventstore.NewRecorder(ctx, s.ledger, eventstore.RecorderConfig{Rulings: func(line *domain.Ruled) {
		for _, p := range kept {
			p.Apply(line)
		}
	}})
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
	runtime.KeepAlive(kept)
	err = recorder.Close()
	recorder, kept = nil, nil
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
