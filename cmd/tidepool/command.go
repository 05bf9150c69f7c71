package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"tidepool.dev/tidepool/engine/api/endpoints"
	"tidepool.dev/tidepool/lessons/courses"
	"tidepool.dev/tidepool/server"
	"tidepool.dev/tidepool/web"
)

func command() *cli.Command {
	return &cli.Command{
		Name:  "tidepool",
		Usage: "learn Kubernetes by watching it live",
		Description: "Tidepool is a Kubernetes control plane that you can look into. Start one with\n" +
			"\"tidepool serve\", open the address that it prints, and use your own kubectl with\n" +
			"the kubeconfig that it writes.",
		EnableShellCompletion: true,
		Commands:              []*cli.Command{serveCommand(), kubeconfigCommand(), versionCommand()},
		OnUsageError:          usageError,
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" {
				return fmt.Errorf("there is no command %q, maybe %q; see tidepool --help", name, cli.SuggestCommand(c.Commands, name))
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
}

// usageError says what is wrong with the flags, without repeating the help.
func usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	return fmt.Errorf("%w; see %s --help", err, c.FullName())
}

// noArguments refuses arguments, which none of the commands takes.
func noArguments(ctx context.Context, c *cli.Command) (context.Context, error) {
	if c.Args().Present() {
		return ctx, fmt.Errorf("%s takes no arguments, but got %q; see %s --help", c.Name, c.Args().Slice(), c.FullName())
	}
	return ctx, nil
}

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run a control plane, simulated nodes and the website",
		Description: "Runs until Ctrl-C. The control plane is real; the nodes are simulated: they start\n" +
			"no containers, so nothing of what you deploy runs on this machine. The cluster's\n" +
			"state is kept in memory and is gone when the server ends; the data directory keeps\n" +
			"certificates, tokens and the kubeconfig, so that clients go on working.\n\n" +
			"Use your own kubectl against it:\n\n" +
			"   export KUBECONFIG=$(tidepool kubeconfig --path)\n" +
			"   kubectl get nodes",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8080", Sources: cli.EnvVars("TIDEPOOL_LISTEN"),
				Usage: "serve the website at `ADDRESS`"},
			&cli.StringFlag{Name: "api-listen", Value: "127.0.0.1:6443", Sources: cli.EnvVars("TIDEPOOL_API_LISTEN"),
				Usage: "serve the Kubernetes API (HTTPS) at `ADDRESS`"},
			&cli.StringSliceFlag{Name: "host", Sources: cli.EnvVars("TIDEPOOL_HOSTS"),
				Usage: "also answer to the host `NAME` or IP address (repeatable); needed beyond this machine"},
			&cli.BoolFlag{Name: "allow-remote", Sources: cli.EnvVars("TIDEPOOL_ALLOW_REMOTE"),
				Usage: "allow --listen and --api-listen beyond the loopback interface"},
			&cli.IntFlag{Name: "nodes", Value: 3, Sources: cli.EnvVars("TIDEPOOL_NODES"),
				Usage: "simulate `N` nodes, of 4 CPUs, 8Gi of memory and 110 pods each"},
			&cli.BoolFlag{Name: "metrics", Value: true, Sources: cli.EnvVars("TIDEPOOL_METRICS"),
				Usage: "measure CPU and memory, for autoscalers and \"kubectl top\"; --metrics=false is a cluster without a metrics server"},
			dataDirFlag(),
			&cli.StringFlag{Name: "audit-log", Sources: cli.EnvVars("TIDEPOOL_AUDIT_LOG"),
				Usage: "append who asks the Kubernetes API for what to `FILE`, as audit.k8s.io/v1 events of level Metadata, one a line; - is the standard output"},
			&cli.StringFlag{Name: "log-level", Value: "warn", Sources: cli.EnvVars("TIDEPOOL_LOG_LEVEL"),
				Usage: "log what is at least as important as `LEVEL`: debug, info, warn or error"},
			&cli.StringFlag{Name: "log-format", Value: "text", Sources: cli.EnvVars("TIDEPOOL_LOG_FORMAT"),
				Usage: "log as `FORMAT`: text (key=value) or json; logs go to the standard error output"},
		},
		Before:       noArguments,
		OnUsageError: usageError,
		Action: func(ctx context.Context, c *cli.Command) error {
			log, err := newLog(os.Stderr, c.String("log-level"), c.String("log-format"))
			if err != nil {
				return err
			}
			all, err := courses.All()
			if err != nil {
				return err
			}
			pages, err := web.Handler(all, true)
			if err != nil {
				return err
			}
			return server.Serve(ctx, server.Config{
				Listen:      c.String("listen"),
				APIListen:   c.String("api-listen"),
				Hosts:       c.StringSlice("host"),
				AllowRemote: c.Bool("allow-remote"),
				Nodes:       c.Int("nodes"),
				Metrics:     c.Bool("metrics"),
				DataDir:     c.String("data-dir"),
				AuditLog:    c.String("audit-log"),
				Pages:       pages,
				Log:         log,
				Out:         c.Root().Writer,
			})
		},
	}
}

func kubeconfigCommand() *cli.Command {
	return &cli.Command{
		Name:  "kubeconfig",
		Usage: "print the admin kubeconfig of the server on this machine",
		Description: "\"tidepool serve\" writes it. Merge it, or point kubectl at it:\n\n" +
			"   export KUBECONFIG=$(tidepool kubeconfig --path)",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "path", Usage: "print where it is instead"},
			dataDirFlag(),
		},
		Before:       noArguments,
		OnUsageError: usageError,
		Action: func(_ context.Context, c *cli.Command) error {
			path, err := filepath.Abs(server.KubeconfigPath(c.String("data-dir")))
			if err != nil {
				return err
			}
			data, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				return fmt.Errorf("there is no kubeconfig at %s: start \"tidepool serve\" first, with the same --data-dir", path)
			}
			if err != nil {
				return err
			}
			if c.Bool("path") {
				_, err = fmt.Fprintln(c.Root().Writer, path)
			} else {
				_, err = c.Root().Writer.Write(data)
			}
			return err
		},
	}
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:         "version",
		Usage:        "print the versions of Tidepool and of the Kubernetes that it follows",
		Before:       noArguments,
		OnUsageError: usageError,
		Action: func(_ context.Context, c *cli.Command) error {
			_, err := fmt.Fprintf(c.Root().Writer, "Tidepool %s\nKubernetes %s\n", server.Version(), endpoints.Version.GitVersion)
			return err
		},
	}
}

func newLog(out io.Writer, level, format string) (*slog.Logger, error) {
	var options slog.HandlerOptions
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level must be debug, info, warn or error, not %q", level)
	}
	options.Level = least
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, &options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, &options)), nil
	}
	return nil, fmt.Errorf("--log-format must be text or json, not %q", format)
}

func dataDirFlag() cli.Flag {
	return &cli.StringFlag{Name: "data-dir", Value: defaultDataDir(), Sources: cli.EnvVars("TIDEPOOL_DATA_DIR"),
		Usage: "keep certificates, tokens and the kubeconfig in `DIR`"}
}

// defaultDataDir follows the XDG base directory specification.
func defaultDataDir() string {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "tidepool")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "tidepool-data"
	}
	return filepath.Join(home, ".local", "state", "tidepool")
}
