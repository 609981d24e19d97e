package bench

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// The chart: one line an entrant, a dot at the median and a bar from the lowest tenth of the rounds to the highest, on an
// axis by powers of ten, for what is compared spans three of them.
const (
	chartWidth = 860
	labelWidth = 250 // names, at the left
	valueWidth = 120 // numbers, at the right
	rowHeight  = 22
	headHeight = 58 // title and axis of a panel
	margin     = 16
)

// point is one line of a panel.
type point struct {
	name           string
	low, mid, high float64
	text           string
	kind           string // class of the dot: limit, ours, other
}

// panel is the comparison of one measure.
type panel struct {
	title  string
	unit   string
	points []point
}

// panels is the cold starts and the warm requests of the first model and the cold starts of the largest: more than that is
// for the table.
func (r *Report) panels() (all []panel) {
	if len(r.Models) == 0 {
		return nil
	}
	first, largest := r.Models[0], r.Models[0]
	for _, m := range r.Models {
		if m.Bytes > largest.Bytes {
			largest = m
		}
	}
	all = []panel{first.coldPanel(), first.warmPanel()}
	if largest != first {
		all = append(all, largest.coldPanel())
	}
	return slices.DeleteFunc(all, func(p panel) bool { return len(p.points) == 0 })
}

// WriteSVG draws the report. The drawing can be read on light and on dark pages.
func (r *Report) WriteSVG(w io.Writer) error {
	panels := r.panels()
	height := 2*margin + 24
	for _, p := range panels {
		height += p.height()
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" `+
		`role="img" aria-label="scorefn bench">`+"\n", chartWidth, height)
	b.WriteString(style)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, height)
	y := margin
	for _, p := range panels {
		p.draw(&b, y)
		y += p.height()
	}
	m := r.Machine
	text(&b, margin, y+24, "note", "start", m.String())
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const style = `<style>
 text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
 .title { font-weight: 600; font-size: 14px } .note, .tick { font-size: 11px; fill: #59636e }
 .page { fill: #ffffff } .grid { stroke: #d1d9e0; stroke-width: 1 }
 .limit { fill: #59636e; stroke: #59636e } .ours { fill: #0969da; stroke: #0969da } .other { fill: #bc4c00; stroke: #bc4c00 }
 line.limit, line.ours, line.other { stroke-width: 4; stroke-opacity: .35 }
 @media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .note, .tick { fill: #9198a1 } .page { fill: #0d1117 } .grid { stroke: #3d444d }
  .limit { fill: #9198a1; stroke: #9198a1 } .ours { fill: #4493f8; stroke: #4493f8 } .other { fill: #db6d28; stroke: #db6d28 }
 }
</style>
`

// kind is the colour of an entrant.
func kind(name string, peer bool) string {
	switch {
	case name == limitName, name == floorName:
		return "limit"
	case peer, strings.HasPrefix(name, "onnxruntime_go"):
		return "other"
	}
	return "ours"
}

func (m *Model) coldPanel() panel {
	title := fmt.Sprintf("Cold start, %s (%s): process start to first answer, and how many times the C limit", m.Name, size(m.Bytes))
	p := panel{title: title, unit: "ms"}
	for _, c := range m.Cold {
		text := short(c.MS.Median) + " ms"
		if c.Name != limitName {
			text += ", " + times(c.Ratio.Median)
		}
		p.points = append(p.points, point{c.Name, c.MS.P10, c.MS.Median, c.MS.P90, text, kind(c.Name, c.Peer)})
	}
	return p
}

func (m *Model) warmPanel() panel {
	p := panel{title: fmt.Sprintf("Warm request, %s, one client: half and 99 %% of them are faster", m.Name), unit: "µs"}
	for _, v := range m.Warm {
		text := fmt.Sprintf("%s, %s µs", short(v.P50), short(v.P99))
		p.points = append(p.points, point{v.Name, v.P50, v.P50, v.P99, text, kind(v.Name, v.Peer)})
	}
	return p
}

func (p *panel) height() int { return headHeight + len(p.points)*rowHeight + margin }

// axis is the powers of ten around all points.
func (p *panel) axis() (low, high int) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, q := range p.points {
		least, most = min(least, q.low), max(most, q.high)
	}
	least, most = max(least, 1e-3), max(most, 1e-3)
	low, high = int(math.Floor(math.Log10(least))), int(math.Ceil(math.Log10(most)))
	return low, max(high, low+1)
}

func (p *panel) draw(b *strings.Builder, top int) {
	text(b, margin, top+16, "title", "start", p.title)
	low, high := p.axis()
	left, right := float64(labelWidth), float64(chartWidth-valueWidth-margin)
	x := func(v float64) float64 {
		return left + (right-left)*(math.Log10(max(v, 1e-3))-float64(low))/float64(high-low)
	}
	bottom := top + headHeight + len(p.points)*rowHeight
	for e := low; e <= high; e++ {
		at := x(math.Pow(10, float64(e)))
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", at, top+headHeight-8, at, bottom-4)
		text(b, int(at), top+headHeight-14, "tick", "middle", tick(e)+" "+p.unit)
	}
	for i, q := range p.points {
		y := top + headHeight + i*rowHeight + rowHeight/2
		text(b, labelWidth-12, y+4, "name", "end", q.name)
		fmt.Fprintf(b, `<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, q.kind, x(q.low), y, x(q.high), y)
		fmt.Fprintf(b, `<circle class="%s" cx="%.1f" cy="%d" r="4.5"/>`+"\n", q.kind, x(q.mid), y)
		text(b, chartWidth-margin, y+4, "value", "end", q.text)
	}
}

func tick(exponent int) string {
	if exponent < 0 {
		return fmt.Sprintf("%.*f", -exponent, math.Pow(10, float64(exponent)))
	}
	return fmt.Sprintf("%.0f", math.Pow(10, float64(exponent)))
}

func text(b *strings.Builder, x, y int, class, anchor, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" text-anchor="%s">`, class, x, y, anchor)
	_ = xml.EscapeText(b, []byte(s)) // a strings.Builder takes everything
	b.WriteString("</text>\n")
}
