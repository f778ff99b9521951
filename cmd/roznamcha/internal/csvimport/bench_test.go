package csvimport

import (
	"io"
	"testing"
)

// BenchmarkRows makes events of the sample's rows, without a recorder.
func BenchmarkRows(b *testing.B) {
	benchmarkRows(b, sample, func(im *Import) error { _, err := im.Next(); return err })
}

// BenchmarkCutting cuts the same rows and makes nothing of them.
func BenchmarkCutting(b *testing.B) {
	benchmarkRows(b, sample, func(im *Import) error { return im.read().err })
}

// BenchmarkAllArrests makes events of all 544,059 rows, compressed as they are.
func BenchmarkAllArrests(b *testing.B) {
	benchmarkRows(b, data(b, "us_ice_arrests_fy2016_2019.csv.gz"), func(im *Import) error { _, err := im.Next(); return err })
}

// benchmarkRows calls next to the end of the file, again and again.
func benchmarkRows(b *testing.B, path string, next func(*Import) error) {
	m := presetOf(b, "us-ice-arrests")
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		im, err := Open(m, path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for ; err == nil; rows++ {
			err = next(im)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		rows--
		if err := im.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}
