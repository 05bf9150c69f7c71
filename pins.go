//go:build pins

// Temporary: keeps modules in go.mod until the code that imports them lands.
package tidepool

import (
	_ "github.com/a-h/templ"
	_ "github.com/andybalholm/brotli"
	_ "github.com/chromedp/chromedp"
	_ "github.com/evanw/esbuild/pkg/api"
	_ "github.com/google/btree"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/gorilla/websocket"
	_ "github.com/spf13/cobra"
	_ "github.com/urfave/cli/v3"
	_ "github.com/yuin/goldmark"
	_ "gopkg.in/evanphx/json-patch.v4"
	_ "k8s.io/api/core/v1"
	_ "k8s.io/apimachinery/pkg/util/strategicpatch"
	_ "k8s.io/client-go/kubernetes"
	_ "k8s.io/client-go/tools/portforward"
	_ "k8s.io/client-go/util/jsonpath"
	_ "k8s.io/component-helpers/scheduling/corev1"
	_ "k8s.io/kube-openapi/pkg/builder3"
	_ "k8s.io/kube-openapi/pkg/common"
	_ "k8s.io/kube-openapi/pkg/spec3"
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/utils/ptr"
	_ "sigs.k8s.io/structured-merge-diff/v6/typed"
	_ "sigs.k8s.io/yaml"
)
