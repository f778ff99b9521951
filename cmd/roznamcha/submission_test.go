package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestSubmissionReader(t *testing.T) {
	long := strings.Repeat("x", mostSubmissionBytes)
	for _, c := range []struct {
		name, in string
		want     []string // "number of the first line: submission"
	}{
		{"nothing", "", nil},
		{"blank lines only", "\n  \n\r\n", nil},
		{"one without a line feed", "a", []string{"1:a\n"}},
		{"two lines", "a\nb\n", []string{"1:a\nb\n"}},
		{"cut at blank lines", "\n\na\nb\n\n\t\n\nc\n\n", []string{"3:a\nb\n", "8:c\n"}},
		{"carriage returns stay", "a\r\n\r\nb", []string{"1:a\r\n", "3:b\n"}},
		{"a line too long", "a\n\n" + long + "x\n\nb", []string{"1:a\n", "3:", "5:b\n"}},
		{"lines too long together", long[:len(long)-2] + "\nxyz\n\nb", []string{"1:", "4:b\n"}},
		{"what comes after one too long is left out with it", long + "x\na\n\nb", []string{"1:", "4:b\n"}},
		{"too long at the end", long + "x", []string{"1:"}},
	} {
		r := submissionReader{in: bufio.NewReader(strings.NewReader(c.in))}
		var got []string
		for {
			submission, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d:%s", r.first, submission))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %.100q, want %.100q", c.name, got, c.want)
		}
	}
}
