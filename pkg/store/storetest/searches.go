package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributaryhq/tributary/pkg/store"
)

var texts = []string{
	"The quick brown fox, naïve Straße",
	"quick answers for ORDER-4711",
	"สวัสดีครับ ผมต้องการคืนสินค้า",
	"คืนเงินเมื่อไหร่",
	"您好，我想退货，订单号是12345",
	"订单还没有到货",
	"注文をキャンセルしたいです",
	"ﾗｰﾒﾝを食べたい",
	"주문을 취소하고 싶어요",
	"Das Paket ist naïv verpackt; 订单 order",
}

func search(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, len(texts), func(i int, d *Doc) {
		d.Words = store.Words(texts[i])
		d.Group = []string{"even", "odd"}[i%2]
	})
	stranger := doc(500)
	stranger.Tenant, stranger.Words = "other", store.Words(texts[0])
	if err := c.Insert(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text, group string
		want        []string // newest first
	}{
		{"QUICK", "", []string{"d0001", "d0000"}},
		{"qui", "", []string{"d0001", "d0000"}},
		{"qui fox", "", []string{}},
		{"fox quick", "", []string{"d0000"}},
		{"fox qui", "", []string{"d0000"}},
		{"strasse", "", []string{"d0000"}},
		{"order", "", []string{"d0009", "d0001"}},
		{"order 47", "", []string{"d0001"}},
		{"naïv", "", []string{"d0009", "d0000"}},
		{"คืน", "", []string{"d0003", "d0002"}},
		{"คืนสินค้า", "", []string{"d0002"}},
		{"订单", "", []string{"d0009", "d0005", "d0004"}},
		{"订单", "odd", []string{"d0009", "d0005"}},
		{"订单号", "", []string{"d0004"}},
		{"货", "", []string{"d0005", "d0004"}},
		{"货 订单", "", []string{"d0005", "d0004"}},
		{"キャンセル", "", []string{"d0006"}},
		{"ラーメン", "", []string{"d0007"}},
		{"취소", "", []string{"d0008"}},
		{"order 订单", "", []string{"d0009"}},
		{"nothing of this", "", []string{}},
		{"…", "", []string{}},
		{`"quick" OR * NOT`, "", []string{}},
	} {
		q := store.SearchQuery{Text: tt.text, Where: where("tenant", "acme")}
		if tt.group != "" {
			q.Where = where("group", tt.group, "tenant", "acme")
		}
		got, _, _, err := c.Search(t.Context(), q)
		if diff := cmp.Diff(tt.want, ids(got)); err != nil || diff != "" {
			t.Errorf("%q in %q: %v %s", tt.text, tt.group, err, diff)
		}
	}
}

func searchPages(t *testing.T, db store.DB) {
	c := open(t, db)
	var want []string
	fill(t, c, 25, func(i int, d *Doc) {
		d.Words, d.N = store.Words("common text"), int64(i/3)
	})
	for i := range 25 {
		want = append([]string{doc(i).ID}, want...)
	}
	q := store.SearchQuery{Text: "comm", Where: where("tenant", "acme"), Limit: 4}
	var got, back []string
	for {
		docs, next, prev, err := c.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(docs)...)
		if q.Cursor = next; next == "" {
			q.Cursor, back = prev, ids(docs)
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	for q.Cursor != "" {
		docs, _, prev, err := c.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		back, q.Cursor = append(ids(docs), back...), prev
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("on the way back: %s", diff)
	}
}

func searchFollows(t *testing.T, db store.DB) {
	c := open(t, db)
	fill(t, c, 1, func(_ int, d *Doc) { d.Words = store.Words("alpha beta") })
	count := func(text string) int {
		docs, _, _, err := c.Search(t.Context(), store.SearchQuery{Text: text, Where: where("tenant", "acme")})
		if err != nil {
			t.Fatal(err)
		}
		return len(docs)
	}
	must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Words = store.Words("beta gamma"); return nil }))
	if a, b, g := count("alpha"), count("beta"), count("gamma"); a != 0 || b != 1 || g != 1 {
		t.Errorf("after the update: alpha %d, beta %d, gamma %d", a, b, g)
	}
	must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Words = nil; return nil }))
	if n := count("beta"); n != 0 {
		t.Errorf("without words it is found %d times", n)
	}
	must[*Doc](t)(c.Update(t.Context(), "d0000", func(d *Doc) error { d.Words = store.Words("delta"); return nil }))
	if err := c.Delete(t.Context(), "d0000"); err != nil {
		t.Fatal(err)
	}
	if n := count("delta"); n != 0 {
		t.Errorf("after deletion it is found %d times", n)
	}
}
