// Package command assembles the kubectl of the browser: upstream's commands,
// unchanged, under a root of our own.
//
// The root leaves out what has no meaning in a page (plugins, profiling, kuberc,
// proxy, completion scripts) and what needs connections that a page does not have.
// It names, groups and explains the rest as upstream's does, so that help looks the
// same. Nothing here depends on the browser; how a command's output and requests
// travel is passed in.
package command

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubectl/pkg/cmd/annotate"
	"k8s.io/kubectl/pkg/cmd/apiresources"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/attach"
	"k8s.io/kubectl/pkg/cmd/auth"
	"k8s.io/kubectl/pkg/cmd/autoscale"
	"k8s.io/kubectl/pkg/cmd/clusterinfo"
	"k8s.io/kubectl/pkg/cmd/config"
	"k8s.io/kubectl/pkg/cmd/cp"
	"k8s.io/kubectl/pkg/cmd/create"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/describe"
	"k8s.io/kubectl/pkg/cmd/drain"
	"k8s.io/kubectl/pkg/cmd/edit"
	"k8s.io/kubectl/pkg/cmd/events"
	"k8s.io/kubectl/pkg/cmd/exec"
	"k8s.io/kubectl/pkg/cmd/explain"
	"k8s.io/kubectl/pkg/cmd/expose"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/label"
	"k8s.io/kubectl/pkg/cmd/logs"
	"k8s.io/kubectl/pkg/cmd/options"
	"k8s.io/kubectl/pkg/cmd/patch"
	"k8s.io/kubectl/pkg/cmd/replace"
	"k8s.io/kubectl/pkg/cmd/rollout"
	"k8s.io/kubectl/pkg/cmd/run"
	"k8s.io/kubectl/pkg/cmd/scale"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/cmd/taint"
	"k8s.io/kubectl/pkg/cmd/top"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/cmd/version"
	"k8s.io/kubectl/pkg/cmd/wait"
	"k8s.io/kubectl/pkg/util/completion"
	"k8s.io/kubectl/pkg/util/i18n"
	"k8s.io/kubectl/pkg/util/templates"
)

// Config is what a command tree needs from its surroundings.
type Config struct {
	Streams genericiooptions.IOStreams
	// Transport carries every request to the API server.
	Transport http.RoundTripper
}

// New returns a fresh command tree. A tree is good for one run: commands keep the
// flags and the state of the run they were made for.
func New(c Config) *cobra.Command {
	warnings := rest.NewWarningWriter(c.Streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	warningsAsErrors := false
	headers := &genericclioptions.CommandHeaderRoundTripper{}
	root := &cobra.Command{
		Use:   "kubectl",
		Short: i18n.T("kubectl controls the Kubernetes cluster manager"),
		Long: templates.LongDesc(`
      kubectl controls the Kubernetes cluster manager.

      Find more information at:
            https://kubernetes.io/docs/reference/kubectl/`),
		Run: func(cmd *cobra.Command, _ []string) { _ = cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			rest.SetDefaultWarningHandler(warnings)
			headers.ParseCommandHeaders(cmd, args)
			return nil
		},
		PersistentPostRunE: func(*cobra.Command, []string) error {
			switch count := warnings.WarningCount(); {
			case !warningsAsErrors || count == 0:
				return nil
			case count == 1:
				return errors.New("1 warning received")
			default:
				return fmt.Errorf("%d warnings received", count)
			}
		},
	}
	root.SetIn(c.Streams.In)
	root.SetOut(c.Streams.Out)
	root.SetErr(c.Streams.ErrOut)
	// Flags added from here on warn about underscores in their names, as upstream's.
	root.SetGlobalNormalizationFunc(cliflag.WarnWordSepNormalizeFunc)

	root.PersistentFlags().BoolVar(&warningsAsErrors, "warnings-as-errors", warningsAsErrors,
		"Treat warnings received from the server as errors and exit with a non-zero exit code")
	flags := genericclioptions.NewConfigFlags(true).
		WithWrapConfigFn(func(config *rest.Config) *rest.Config {
			return c.wrap(config, headers)
		})
	flags.AddFlags(root.PersistentFlags())
	getter := &clients{
		ConfigFlags: flags,
		warnings:    printers.NewWarningPrinter(c.Streams.ErrOut, printers.WarningPrinterOptions{}),
	}
	matchVersion := cmdutil.NewMatchVersionFlags(getter)
	matchVersion.AddFlags(root.PersistentFlags())
	factory := cmdutil.NewFactory(matchVersion)

	addCommands(root, factory, c.Streams)
	completion.SetFactoryForCompletion(factory)
	completeGlobalFlags(root, factory)
	root.SetGlobalNormalizationFunc(cliflag.WordSepNormalizeFunc)
	return root
}

// wrap directs a client at the transport. It asks for JSON, because the types are
// compiled without their protobuf code, and does not throttle itself: the server
// is a function call away, and a command that waits for its own limiter would
// only look slow.
func (c Config) wrap(config *rest.Config, headers *genericclioptions.CommandHeaderRoundTripper) *rest.Config {
	config.ContentType = "application/json"
	config.AcceptContentTypes = "application/json"
	config.QPS = -1
	config.Transport = c.Transport
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		return &genericclioptions.CommandHeaderRoundTripper{Delegate: rt, Headers: headers.Headers}
	})
	return config
}

func addCommands(root *cobra.Command, f cmdutil.Factory, streams genericiooptions.IOStreams) {
	getCommand := get.NewCmdGet("kubectl", f, streams)
	getCommand.ValidArgsFunction = completion.ResourceTypeAndNameCompletionFunc(f)

	groups := templates.CommandGroups{
		{
			Message: "Basic Commands (Beginner):",
			Commands: []*cobra.Command{
				create.NewCmdCreate(f, streams),
				expose.NewCmdExposeService(f, streams),
				run.NewCmdRun(f, streams),
				set.NewCmdSet(f, streams),
			},
		},
		{
			Message: "Basic Commands (Intermediate):",
			Commands: []*cobra.Command{
				explain.NewCmdExplain("kubectl", f, streams),
				getCommand,
				edit.NewCmdEdit(f, streams),
				delete.NewCmdDelete(f, streams),
			},
		},
		{
			Message: "Deploy Commands:",
			Commands: []*cobra.Command{
				rollout.NewCmdRollout("kubectl", f, streams),
				scale.NewCmdScale(f, streams),
				autoscale.NewCmdAutoscale(f, streams),
			},
		},
		{
			Message: "Cluster Management Commands:",
			Commands: []*cobra.Command{
				clusterinfo.NewCmdClusterInfo(f, streams),
				top.NewCmdTop(f, streams),
				drain.NewCmdCordon(f, streams),
				drain.NewCmdUncordon(f, streams),
				drain.NewCmdDrain(f, streams),
				taint.NewCmdTaint(f, streams),
			},
		},
		{
			Message: "Troubleshooting and Debugging Commands:",
			Commands: []*cobra.Command{
				describe.NewCmdDescribe("kubectl", f, streams),
				logs.NewCmdLogs(f, streams),
				attach.NewCmdAttach(f, streams),
				exec.NewCmdExec(f, streams),
				cp.NewCmdCp(f, streams),
				newAuth(f, streams),
				events.NewCmdEvents(f, streams),
			},
		},
		{
			Message: "Advanced Commands:",
			Commands: []*cobra.Command{
				apply.NewCmdApply("kubectl", f, streams),
				patch.NewCmdPatch(f, streams),
				replace.NewCmdReplace(f, streams),
				wait.NewCmdWait(f, streams),
			},
		},
		{
			Message: "Settings Commands:",
			Commands: []*cobra.Command{
				label.NewCmdLabel(f, streams),
				annotate.NewCmdAnnotate("kubectl", f, streams),
			},
		},
	}
	groups.Add(root)
	root.CompletionOptions.DisableDefaultCmd = true // completion scripts are for other shells
	for _, name := range absent {
		root.AddCommand(newAbsent(name))
	}
	templates.ActsAsRootCommand(root, []string{"options"}, groups...)

	root.AddCommand(
		config.NewCmdConfig(f, clientcmd.NewDefaultPathOptions(), streams),
		version.NewCmdVersion(f, streams),
		apiresources.NewCmdAPIVersions(f, streams),
		apiresources.NewCmdAPIResources(f, streams),
		options.NewCmdOptions(streams.Out),
	)
}

// absent are the commands of upstream's that a page cannot run.
var absent = []string{
	"certificate", "completion", "debug", "diff", "kuberc", "kustomize", "plugin", "port-forward", "proxy",
}

// instead is what does the same in a page.
var instead = map[string]string{
	"port-forward": "a browser tab has no ports to listen on. Reach a pod through the API server (kubectl get --raw /api/v1/namespaces/default/pods/NAME:80/proxy/) or from inside the cluster (kubectl exec)",
	"proxy":        "a browser tab has no ports to listen on. Ask the API server directly: kubectl get --raw /api/v1/...",
}

// newAbsent returns a command that says so, rather than that it is unknown.
func newAbsent(name string) *cobra.Command {
	return &cobra.Command{
		Use:                name,
		Hidden:             true,
		DisableFlagParsing: true,
		Run: func(*cobra.Command, []string) {
			why, ok := instead[name]
			if !ok {
				why = "kubectl on your own computer has it"
			}
			cmdutil.CheckErr(fmt.Errorf("kubectl %s is not available in this page: %s", name, why))
		},
	}
}

// newAuth is upstream's auth without reconcile.
func newAuth(f cmdutil.Factory, streams genericiooptions.IOStreams) *cobra.Command {
	command := &cobra.Command{
		Use:   "auth",
		Short: i18n.T("Inspect authorization"),
		Long:  i18n.T("Inspect authorization."),
		Run:   cmdutil.DefaultSubCommandRun(streams.ErrOut),
	}
	command.AddCommand(auth.NewCmdCanI(f, streams), auth.NewCmdWhoAmI(f, streams))
	return command
}

func completeGlobalFlags(root *cobra.Command, f cmdutil.Factory) {
	complete := func(flag string, values func(toComplete string) []string) {
		cmdutil.CheckErr(root.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			return values(toComplete), cobra.ShellCompDirectiveNoFileComp
		}))
	}
	complete("namespace", func(s string) []string { return completion.CompGetResource(f, "namespace", s) })
	complete("context", completion.ListContextsInConfig)
	complete("cluster", completion.ListClustersInConfig)
	complete("user", completion.ListUsersInConfig)
}
