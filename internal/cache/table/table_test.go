package table

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"smith/internal/cache/store"
	"smith/internal/cache/store/storetest"
)

// write keeps records, each with its keys, under the key "t".
func write(t testing.TB, st *store.Store, records [][]string) *Table {
	t.Helper()
	w, err := NewWriter(st, "tables")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	for _, r := range records {
		if err := w.Add([]byte(r[0]), r[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	table, err := w.Commit("t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

func TestFind(t *testing.T) {
	st := storetest.New(t)
	write(t, st, [][]string{{"first", "a", "b", "b"}, {"", "b"}, {"third"}, {"fourth", "ab", "b", "a"}})
	table, err := Open(st, "tables", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for key, want := range map[string][]int{"a": {0, 3}, "b": {0, 1, 3}, "ab": {3}, "c": nil, "": nil, "aa": nil} {
		got, err := table.Find(key)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", key, got, err)
		}
	}
	for i, want := range []string{"first", "", "third", "fourth"} {
		if got, err := table.Record(i); err != nil || string(got) != want {
			t.Errorf("record %d: %q, %v", i, got, err)
		}
	}
	for _, i := range []int{-1, 4} {
		if _, err := table.Record(i); err == nil {
			t.Errorf("record %d", i)
		}
	}
	if diff := cmp.Diff([]string{"a", "ab"}, slices.Collect(table.Keys("a"))); diff != "" {
		t.Error(diff)
	}
}

func TestNothing(t *testing.T) {
	table := write(t, storetest.New(t), nil)
	if got, err := table.Find("a"); got != nil || err != nil || table.Len() != 0 {
		t.Errorf("%v, %v, %d records", got, err, table.Len())
	}
	if keys := slices.Collect(table.Keys("")); keys != nil {
		t.Error(keys)
	}
}

// TestManyPages looks up every key of some pages.
func TestManyPages(t *testing.T) {
	var records [][]string
	for i := range 5000 {
		records = append(records, []string{fmt.Sprint("r", i), fmt.Sprintf("k%04d", i), "all", fmt.Sprintf("m%d", i%10)})
	}
	table := write(t, storetest.New(t), records)
	if len(table.pages) < 10 {
		t.Errorf("%d pages", len(table.pages))
	}
	for i := range 5000 {
		got, err := table.Find(fmt.Sprintf("k%04d", i))
		if err != nil || !slices.Equal(got, []int{i}) {
			t.Fatalf("%d: %v, %v", i, got, err)
		}
	}
	if got, _ := table.Find("all"); len(got) != 5000 {
		t.Errorf("all: %d", len(got))
	}
	if got, _ := table.Find("m7"); len(got) != 500 || got[1] != 17 {
		t.Errorf("m7: %v", got)
	}
	if got := len(slices.Collect(table.Keys("k1"))); got != 1000 {
		t.Errorf("%d keys begin with k1", got)
	}
}

// What is said of tables that were not written by smith, or not to their end.
func TestMistakes(t *testing.T) {
	st := storetest.New(t)
	e := write(t, st, [][]string{{"first", "a"}}).blob
	good := make([]byte, e.Size())
	if _, err := e.ReadAt(good, 0); err != nil {
		t.Fatal(err)
	}
	spoiled := func(change func(foot []byte)) []byte {
		data := bytes.Clone(good)
		change(data[len(data)-footerSize:])
		return data
	}
	for what, data := range map[string][]byte{
		"nothing":         {},
		"short":           good[:10],
		"another magic":   spoiled(func(foot []byte) { foot[0]++ }),
		"many records":    spoiled(func(foot []byte) { foot[len(magic)+3] = 1 }),
		"offsets outside": spoiled(func(foot []byte) { foot[len(magic)+8+3] = 1 }),
		"many pages":      spoiled(func(foot []byte) { foot[len(magic)+24+3] = 1 }),
	} {
		if err := st.Save("tables", "x", data); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(st, "tables", "x"); err == nil || err.Error() != "cannot open tables/x in the cache: the table in the cache is damaged" {
			t.Errorf("%s: %v", what, err)
		}
	}
	w, err := NewWriter(st, "tables")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if err := w.Add(make([]byte, maxPart+1)); err == nil || err.Error() != "record 0 of 67108865 bytes is more than an index holds" {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	st := storetest.New(f)
	e := write(f, st, [][]string{{"first", "a", "b"}, {"second", "b"}}).blob
	good := make([]byte, e.Size())
	if _, err := e.ReadAt(good, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := st.Save("tables", "f", data); err != nil {
			t.Fatal(err)
		}
		table, err := Open(st, "tables", "f")
		if err != nil {
			return
		}
		defer table.Close()
		_, _ = table.Find("a")
		for range table.Keys("") {
		}
		for i := range min(table.Len(), 10) {
			_, _ = table.Record(i)
		}
	})
}
