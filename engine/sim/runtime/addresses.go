package runtime

import (
	"errors"
	"net/netip"
)

// addresses hands out a node's pod addresses one after the other, as the
// host-local plugin does: one that is given back is used again only after all
// others.
type addresses struct {
	prefix netip.Prefix
	last   netip.Addr
	taken  map[netip.Addr]bool
}

func newAddresses(prefix netip.Prefix) addresses {
	// The network's own address and that of the node's bridge are not for pods.
	return addresses{prefix: prefix, last: prefix.Masked().Addr().Next(), taken: map[netip.Addr]bool{}}
}

func (a *addresses) take() (netip.Addr, error) {
	first := a.prefix.Masked().Addr().Next().Next()
	for ip, tries := a.last.Next(), 0; tries < 1<<16; ip, tries = ip.Next(), tries+1 {
		if !a.prefix.Contains(ip) || !a.prefix.Contains(ip.Next()) { // the last is for broadcasts
			ip = first
		}
		if !a.taken[ip] {
			a.taken[ip], a.last = true, ip
			return ip, nil
		}
	}
	return netip.Addr{}, errors.New(`plugin type="bridge" failed (add): failed to allocate for range 0: no IP addresses available in range set: ` + a.prefix.String())
}

func (a *addresses) give(ip netip.Addr) { delete(a.taken, ip) }

// gateway is the node's address on the pods' network, from which its probes
// come.
func (a *addresses) gateway() string { return a.prefix.Masked().Addr().Next().String() }
