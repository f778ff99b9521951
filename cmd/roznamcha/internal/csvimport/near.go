package csvimport

import (
	"slices"
	"strings"
)

// tryNear is " Try: …" with the names that whoever wrote name may have meant;
// all of them where they are few, else "".
func tryNear(name string, names []string) string {
	if near := nearest(name, names); len(near) > 0 {
		return ". Try: " + strings.Join(near, ", ")
	}
	if len(names) > 0 && len(names) <= 12 {
		sorted := slices.Clone(names)
		slices.Sort(sorted)
		return ". Try: " + strings.Join(slices.Compact(sorted), ", ")
	}
	return ""
}

// nearest is up to three of names that look like name, the nearest first.
func nearest(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	wanted := strings.ToLower(name)
	for _, n := range names {
		lower := strings.ToLower(n)
		d := distance(wanted, lower)
		if strings.HasSuffix(lower, "."+wanted) || wanted != "" && lower != "" && (strings.Contains(lower, wanted) || strings.Contains(wanted, lower)) {
			d = min(d, 1)
		}
		if d <= max(1, len(wanted)/3) {
			found = append(found, candidate{n, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var near []string
	for _, c := range found {
		if len(near) < 3 && !slices.Contains(near, c.name) {
			near = append(near, c.name)
		}
	}
	return near
}

// distance is how many bytes must be put in, taken out or exchanged to make b
// of a (Levenshtein). Long names are looked at in part.
func distance(a, b string) int {
	const most = 64
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
