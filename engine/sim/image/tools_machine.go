package image

import (
	"fmt"
	"strings"
)

// Tools that tell of the machine.

// ip knows ip addr; ifconfig tells the same.
func ip(c *Call) {
	if c.Args[0] == "ifconfig" {
		c.Print(fmt.Sprintf("eth0      Link encap:Ethernet  HWaddr 0A:58:0A:F4:01:02\n          inet addr:%s  Bcast:0.0.0.0  Mask:255.255.255.0\n"+
			"          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\nlo        Link encap:Local Loopback\n          inet addr:127.0.0.1  Mask:255.0.0.0\n"+
			"          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n\n", c.IP()))
		c.Exit(0)
		return
	}
	if len(c.Args) < 2 || !strings.HasPrefix("address", c.Args[1]) {
		fail(c, 1, "the simulated ip knows ip address only")
		return
	}
	c.Print(fmt.Sprintf("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"+
		"2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000\n    inet %s/24 brd 10.244.255.255 scope global eth0\n       valid_lft forever preferred_lft forever\n", c.IP()))
	c.Exit(0)
}

// changeMode does nothing, as everybody here is root and files have no modes.
func changeMode(c *Call) {
	names := operands(c)
	code := 0
	for _, name := range names[min(1, len(names)):] {
		if !c.Dir().Exists(name) && !c.Dir().IsDir(name) {
			complain(c, "%s", "cannot access '%s'", name, errNoFile)
			code = 1
		}
	}
	c.Exit(code)
}
