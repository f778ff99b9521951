package domain

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// repeating are lines that a reader may take one for another, in an order that
// invites it to.
func repeating() (lines []string) {
	line := func(source, data string) {
		lines = append(lines, `{"specversion":"1.0","id":"`+id(len(lines)+1)+`","source":"`+source+`","type":"raid.conducted","subject":"7","data":{`+data+`,"premises":"other"}}`)
	}
	line("", `"occurred":"","place":{"city":"A"}`)
	for _, place := range []string{
		`{}`, `{"city":"A"}`, `{"city":"A","city":"A"}`, `{"city":"A"}`, `{"city":"A"`, `{"city":"A","site":"B"}`, `{"site":"A","city":"B"}`,
		`{"country":"PK","subdivision":"C","city":"A","site":"B"}`, `{"country":"XX","city":"A"}`, `{"country":"IN","city":"A"}`,
		`{"city":"\u0041"}`, `{"city":"A","floor":{"x":[1]}}`, `{"city":"A", "site":"B"}`, `{"city":"Chāh"}`, "{\"city\":\"\xff\"}", "{\"city\":\"\x01\"}", `"A"`,
	} {
		for range 2 {
			line("/nccia/karachi", `"occurred":"2025-06-03","place":`+place)
			line("/nccia/kasur", `"occurred":"2025-06","reported":"2025-06","place": `+place)
		}
		line("/nccia//karachi", `"occurred":"2025-13","place":`+place)
	}
	return lines
}

// What a line says does not depend on the lines before it.
func TestLinesThatRepeatAreReadAsIfAlone(t *testing.T) {
	var rd reader
	for _, line := range repeating() {
		readsAsIfAlone(t, &rd, line)
	}
	if _, err := Decode(strings.Replace(raid(1, "7"), "2025-06-03", "", 1)); err == nil {
		t.Error("the empty period is no period, though none was read before it")
	}
}

func readsAsIfAlone(t *testing.T, rd *reader, line string) {
	t.Helper()
	var got, want reading
	rd.read(&got, line)
	new(reader).read(&want, line)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\nread as %+v, %v, %v\nalone %+v, %v, %v", line, got, got.refusal, got.bad, want, want.refusal, want.bad)
	}
}

// Whoever gives a line to a reader may write over it when it has been ruled on:
// what is read from the next one is that line's own.
func TestAReaderHoldsOnToNoLine(t *testing.T) {
	const sound = `{"specversion":"1.0","id":"00000000-0000-4000-8000-000000000001","source":"/nccia/karachi","type":"raid.conducted","subject":"7","data":{"occurred":"2025-06-03","place":{"country":"PK","city":"A"},"premises":"other"}}`
	for _, other := range []string{"/nccia/KARACHI", "2025-06-33", `"country":"XX"`} {
		var rd reader
		memory := []byte(sound)
		rd.read(new(reading), unsafe.String(unsafe.SliceData(memory), len(memory)))
		i := strings.Index(sound, map[byte]string{'/': "/nccia/k", '2': "2025", '"': `"country"`}[other[0]])
		copy(memory[i:], other)
		readsAsIfAlone(t, &rd, string(memory))
	}
	for _, line := range repeating() {
		var rd reader
		memory := []byte(line)
		rd.read(new(reading), unsafe.String(unsafe.SliceData(memory), len(memory)))
		var r reading
		rd.read(&r, strings.Clone(line))
		clear(memory)
		want := new(reading)
		new(reader).read(want, line)
		if !reflect.DeepEqual(&r, want) {
			t.Errorf("%s\nread as %+v\nalone %+v", line, r, want)
		}
	}
}

// A place that nests as deep as may be in a replacement nests too deep in an
// event.
func TestADeepPlaceIsNotTakenFromAReplacement(t *testing.T) {
	const deep = maxDepth - 2 // besides the data and the place
	place := `"place":{"x":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `},`
	raw := `{"occurred":"2025",` + place + `"premises":"other"}`
	var rd reader
	if why := rd.readReplacement(new(reading), &RecordCorrected{raw: raw}, TypeRaidConducted); why != nil {
		t.Fatal(why)
	}
	line := strings.Replace(raid(1, "7"), `"premises"`, place+`"premises"`, 1)
	readsAsIfAlone(t, &rd, line)
	if _, err := rd.event(line); err == nil {
		t.Error("it is no deeper than allowed")
	}
}

// Names in their order are looked for first; in any other they are found too,
// and one that stands twice is told by its name.
func TestANameThatStandsTwice(t *testing.T) {
	for name, line := range map[string]string{
		"id":       strings.Replace(raid(1, "7"), `"type":`, `"id":"x","type":`, 1),
		"data":     strings.Replace(raid(1, "7"), `"data":`, `"data":{},"id2":1,"data":`, 1),
		"occurred": strings.Replace(raid(1, "7"), `"premises":`, `"occurred":"2025","premises":`, 1),
		"premises": strings.Replace(raid(1, "7"), `"occurred":`, `"premises":"other","occurred":`, 1),
		"Occurred": strings.Replace(raid(1, "7"), `"premises":`, `"Occurred":"2025","premises":`, 1),
	} {
		_, err := Decode(line)
		if err == nil || !strings.Contains(err.Error(), `stands twice, or in another letter case: "`+name+`"`) {
			t.Errorf("%s\n%v", line, err)
		}
	}
}
