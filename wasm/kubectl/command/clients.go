package command

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
)

// clients makes the clients of one run. Unlike upstream's, it asks the server
// anew what it serves: two requests to a server that is a function call away cost
// less than reading a cache from files, and are never out of date.
type clients struct {
	*genericclioptions.ConfigFlags
	warnings *printers.WarningPrinter

	mutex     sync.Mutex
	discovery discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper
}

func (c *clients) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.discoveryClient()
}

func (c *clients) discoveryClient() (discovery.CachedDiscoveryInterface, error) {
	if c.discovery != nil {
		return c.discovery, nil
	}
	config, err := c.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	c.discovery = memory.NewMemCacheClient(client)
	return c.discovery, nil
}

func (c *clients) ToRESTMapper() (meta.RESTMapper, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.mapper != nil {
		return c.mapper, nil
	}
	client, err := c.discoveryClient()
	if err != nil {
		return nil, err
	}
	c.mapper = restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(client), client, c.warnings.Print)
	return c.mapper, nil
}
