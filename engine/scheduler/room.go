package scheduler

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"tidepool.dev/tidepool/engine/controller"
)

// A change of one node changes what that node says of a pod, and of no other
// node. So of the parked pods only those are tried again that fit there now, and
// no more than fit there together: a backlog of thousands is not tried whole
// whenever one pod leaves. One that then goes elsewhere, or is refused for
// something else, passes its chance on (disappointed).

// changed marks a node that may have got room for parked pods by something that
// helps them.
func (s *Scheduler) changed(n *nodeInfo, what change) {
	s.changes++
	n.changed, n.what = s.changes, n.what|what
	if !slices.Contains(s.roomier, n) {
		s.roomier = append(s.roomier, n)
	}

}

// disappointed gives the chance that a node has offered to a pod to others, if
// the pod has not taken it.
func (s *Scheduler) disappointed(w *waiting, took *nodeInfo) {
	if n := w.hoped; n != nil && n != took && !slices.Contains(s.roomier, n) {
		s.roomier = append(s.roomier, n)
	}
	w.hoped = nil
}

// wanted asks for a turn if there may be something to do in it.
func (s *Scheduler) wanted() []controller.Request {
	if len(s.queue.active.pods) > 0 || len(s.queue.backoff.pods) > 0 || len(s.roomier) > 0 && s.queue.ranked.Len() > 0 {
		return turn
	}
	return nil
}

// fill wakes the parked pods that fit on the nodes that have got room, the most
// important first.
func (s *Scheduler) fill() {
	for _, n := range s.roomier {
		if n.Node != nil && s.queue.ranked.Len() > 0 {
			s.fillNode(n)
		}
	}
	s.roomier = s.roomier[:0]
}

func (s *Scheduler) fillNode(n *nodeInfo) {
	var woken []*waiting
	refused := map[types.UID]*podInfo{} // by owner: its pods are all alike
	s.queue.ranked.Ascend(func(w *waiting) bool {
		if w.helps&n.what == 0 || w.tried >= n.changed {
			return true
		}
		if w.info == nil {
			w.info = newPodInfo(w.pod)
		}
		p := w.info
		if like := refused[p.owner]; like != nil && p.owner != "" && priority(like.Pod) == priority(p.Pod) {
			return true
		}
		if r, _ := s.checkRoom(p, n); r != nil {
			refused[p.owner] = p
			return true
		}
		n.add(p) // so that the next ones are not promised the same room
		woken = append(woken, w)
		return true
	})
	now := s.clock.Now()
	for _, w := range woken {
		n.remove(w.info)
		w.hoped = n
		s.queue.wake(w, now)
	}
}

// checkRoom asks a node by itself, with what is nominated to it.
func (s *Scheduler) checkRoom(p *podInfo, n *nodeInfo) (*refusal, change) {
	var added []*podInfo
	for _, other := range n.nominated {
		if other.UID != p.UID && priority(other.Pod) >= priority(p.Pod) && n.pods[other.UID] == nil {
			n.add(other)
			added = append(added, other)
		}
	}
	r, helps := check(p, n)
	for _, other := range added {
		n.remove(other)
	}
	return r, helps
}

// peerChanged wakes the parked pods that a pod which has come or gone concerns.
func (s *Scheduler) peerChanged(peer *podInfo) {
	if s.queue.waitForPeers == 0 {
		return
	}
	var woken []*waiting
	s.queue.ranked.Ascend(func(w *waiting) bool {
		if w.helps&peerChanged == 0 {
			return true
		}
		if w.info == nil {
			w.info = newPodInfo(w.pod)
		}
		if s.concerns(w.info, peer) {
			woken = append(woken, w)
		}
		return true
	})
	now := s.clock.Now()
	for _, w := range woken {
		s.queue.wake(w, now)
	}
}
