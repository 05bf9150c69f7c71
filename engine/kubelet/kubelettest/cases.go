package kubelettest

import "slices"

type testCase struct {
	name string
	test func(c *Cluster)
}

// cases are all of the suite.
var cases = slices.Concat(lifeCases, startCases, restartCases, imageCases, probeCases, endCases, nodeCases, partCases)
