package projections

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// grid is the tallies of a scan, laid out as a table's rows and columns.
type grid struct {
	*scan
	columns  []gridColumn
	rows     []gridRow
	byLabels map[labels]int
	total    []tally // by column
	unplaced []tally
	// lacking are the dimensions of axes that some fact of a column does not
	// have, and left those of filters that left some fact out of it, for not
	// having them.
	lacking, left []dimensions
	// overlap has a bit for each axis of which some fact has several values.
	overlap uint8

	spare []tally // for the next rows
}

// labels are the labels of a row, one on each axis.
type labels [maxBy]uint32

// gridColumn is a column asked for, in one currency where it is an amount.
type gridColumn struct {
	column   int
	currency uint32 // 0 for none
}

type gridRow struct {
	labels  labels
	tallies []tally // by column
	// weights are the sums of the first column over the rows that share the
	// first label, the first two, and so on.
	weights [maxBy]int64
}

// grid lays out what the scan has added up.
func (s *scan) grid() (*grid, error) {
	g := &grid{scan: s, byLabels: make(map[labels]int)}
	places := g.split()
	g.total = make([]tally, len(g.columns))
	g.unplaced = make([]tally, len(g.columns))
	g.lacking = make([]dimensions, len(g.columns))
	g.left = make([]dimensions, len(g.columns))
	for i := range s.sums {
		if err := g.lay(s.pairs[i], &s.sums[i], places); err != nil {
			return nil, err
		}
	}
	g.sort()
	return g, nil
}

// split makes a column of each currency that occurs in a column of amounts, and
// returns where each stands: by column and currency. What the filters leave
// out occurs too: some of it may belong there.
func (g *grid) split() []map[uint32]int {
	occurs := make([]map[uint32]int, len(g.Columns))
	for i := range occurs {
		occurs[i] = make(map[uint32]int)
	}
	for _, pair := range g.pairs {
		cells := &g.cells.all[pair.cells]
		columns := cells.columns & g.spans.all[pair.spans].columns
		for i := range occurs {
			if columns&(1<<i) != 0 && cells.currency != 0 {
				occurs[i][cells.currency] = 0
			}
		}
	}
	for i, currencies := range occurs {
		if len(currencies) == 0 {
			currencies[0] = 0
		}
		sorted := make([]uint32, 0, len(currencies))
		for currency := range currencies {
			sorted = append(sorted, currency)
		}
		slices.SortFunc(sorted, func(a, b uint32) int { return strings.Compare(g.currency(a), g.currency(b)) })
		for _, currency := range sorted {
			currencies[currency] = len(g.columns)
			g.columns = append(g.columns, gridColumn{i, currency})
		}
	}
	return occurs
}

// currency is the currency of that number, "" for 0.
func (g *grid) currency(n uint32) string {
	if n == 0 {
		return ""
	}
	return g.totals.cells.values[Currency].texts[n]
}

// lay adds the tally of a pair to every cell that its facts stand in. Facts of
// no currency have no known amount: they are an unknown part of every currency
// of their column, since nobody can say of which.
func (g *grid) lay(pair pair, t *tally, places []map[uint32]int) error {
	cells, spans := &g.cells.all[pair.cells], &g.spans.all[pair.spans]
	var at []int // the columns
	for i := range g.Columns {
		if cells.columns&spans.columns&(1<<i) == 0 {
			continue
		}
		lacks := cells.lack(i) | spans.lack(i)
		stand := func(place int) {
			if lacks != 0 {
				g.left[place] |= lacks
			} else {
				at = append(at, place)
			}
		}
		if place, ok := places[i][cells.currency]; ok {
			stand(place)
			continue
		}
		for _, place := range places[i] {
			stand(place)
		}
	}
	if len(at) == 0 {
		return nil
	}
	if spans.unplaced {
		return g.merge(g.unplaced, at, t)
	}
	if err := g.merge(g.total, at, t); err != nil {
		return err
	}
	return g.layRows(cells, spans, at, t)
}

// layRows adds t in every row that its facts stand in.
func (g *grid) layRows(cells, spans *class, at []int, t *tally) error {
	var on [maxBy][]uint32
	for i := range on {
		on[i] = notHaving
		if i >= len(g.axes) {
			continue
		}
		if on[i] = cells.labels[i]; on[i] == nil {
			on[i] = spans.labels[i]
		}
		if len(on[i]) > 1 {
			g.overlap |= 1 << i
		}
		if on[i][0] == 0 {
			for _, column := range at {
				g.lacking[column] |= 1 << g.axes[i].dimension
			}
		}
	}
	if len(g.axes) == 0 {
		return nil
	}
	for _, first := range on[0] {
		for _, second := range on[1] {
			for _, third := range on[2] {
				row, err := g.row(labels{first, second, third})
				if err != nil {
					return err
				}
				if err := g.merge(row.tallies, at, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// row is the row of labels l, new if it must be.
func (g *grid) row(l labels) (*gridRow, error) {
	i, ok := g.byLabels[l]
	if !ok {
		if i = len(g.rows); i == maxRows {
			return nil, errTooManyRows
		}
		g.byLabels[l] = i
		g.rows = append(g.rows, gridRow{labels: l, tallies: g.tallies()})
	}
	return &g.rows[i], nil
}

// tallies are those of one more row. They are made for many rows at a time.
func (g *grid) tallies() []tally {
	n := len(g.columns)
	if len(g.spare) < n {
		g.spare = make([]tally, n*min(len(g.rows)+1, 1024))
	}
	tallies := g.spare[:n:n]
	g.spare = g.spare[n:]
	return tallies
}

// merge adds t to the tallies of some columns.
func (g *grid) merge(to []tally, columns []int, t *tally) error {
	for _, i := range columns {
		if !to[i].merge(t) {
			c := g.columns[i]
			return overflow(g.Columns[c.column].Measure, g.currency(c.currency))
		}
	}
	return nil
}

// sort puts the rows in order, axis by axis: what does not have the dimension
// last, times as they run, everything else by the first column, the largest
// first, and then by label.
func (g *grid) sort() {
	g.weigh()
	slices.SortFunc(g.rows, func(a, b gridRow) int {
		for i, axis := range g.axes {
			one, other := a.labels[i], b.labels[i]
			switch {
			case one == other:
				continue
			case one == 0:
				return 1
			case other == 0:
				return -1
			case axis.order != nil:
				return cmp.Compare(axis.order[one], axis.order[other])
			case a.weights[i] != b.weights[i]:
				return cmp.Compare(b.weights[i], a.weights[i])
			}
			return strings.Compare(axis.texts[one], axis.texts[other])
		}
		return 0
	})
}

// weigh finds the rows' weights.
func (g *grid) weigh() {
	for i, axis := range g.axes {
		if axis.order != nil {
			continue
		}
		sums := make(map[labels]int64)
		for _, row := range g.rows {
			key := row.labels.first(i + 1)
			sum := sums[key] + row.tallies[0].value
			if sum < 0 { // rows that overlap can be more than their total
				sum = math.MaxInt64
			}
			sums[key] = sum
		}
		for at := range g.rows {
			row := &g.rows[at]
			row.weights[i] = sums[row.labels.first(i+1)]
		}
	}
}

// first is l with all but the first n left out.
func (l labels) first(n int) labels {
	clear(l[n:])
	return l
}

// label is label n of an axis as a filter has it.
func (a *axis) label(n uint32) string {
	if n == 0 {
		return a.dimension.none()
	}
	return a.texts[n]
}
