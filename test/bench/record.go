package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// record is one figure. Value is ours, in Unit; Peer is the same figure of the
// project that PeerName names, measured in the same run.
type record struct {
	Name       string   `json:"name"`
	Value      float64  `json:"value"`
	Unit       string   `json:"unit"`
	Budget     *float64 `json:"budget,omitempty"`
	Peer       *float64 `json:"peer,omitempty"`
	PeerName   string   `json:"peerName,omitempty"`
	Ratio      *float64 `json:"ratio,omitempty"` // Peer / Value: how many times less ours is
	Conditions string   `json:"conditions"`
}

func under(budget float64) *float64 { return &budget }

// beside adds a peer's figure to a record.
func (r record) beside(name string, value float64) record {
	r.Peer, r.PeerName = &value, name
	if r.Value > 0 {
		ratio := value / r.Value
		r.Ratio = &ratio
	}
	return r
}

func print(out io.Writer, records []record) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FIGURE\tVALUE\tBUDGET\tPEER\tRATIO\tCONDITIONS")
	for _, r := range records {
		budget, peer, ratio := "", "", ""
		if r.Budget != nil {
			verdict := "ok"
			if r.Value > *r.Budget {
				verdict = "OVER"
			}
			budget = fmt.Sprintf("< %s %s", number(*r.Budget), verdict)
		}
		if r.Peer != nil {
			peer = fmt.Sprintf("%s (%s)", number(*r.Peer), r.PeerName)
		}
		if r.Ratio != nil {
			ratio = fmt.Sprintf("%.1f×", *r.Ratio)
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s\t%s\t%s\t%s\n", r.Name, number(r.Value), r.Unit, budget, peer, ratio, r.Conditions)
	}
	w.Flush()
}

func number(value float64) string {
	if value >= 100 {
		return fmt.Sprintf("%.0f", value)
	}
	return fmt.Sprintf("%.3g", value)
}

func write(path string, records []record) error {
	data, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}
