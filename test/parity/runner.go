package parity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// commandLimit is how long one command may run.
	commandLimit = 2 * time.Minute
	// knownLimit is how long a step may take that is known to differ: many of
	// them wait for what does not come.
	knownLimit = 5 * time.Second
	// pause is between two tries of what is waited for.
	pause = 300 * time.Millisecond
)

// A Runner runs one scenario in a namespace of the scenario's name.
type Runner struct {
	// Dir is an empty directory, the scenario's own.
	Dir string
	// Kubeconfig is an administrator's.
	Kubeconfig string
	// Path is where kubectl and what the scenarios use besides are found, in
	// the form of $PATH.
	Path string
	// Known are the steps that are known to differ.
	Known map[int]string

	env          []string
	replacements []Replacement
}

// An Outcome is what came of a step that was compared or had to succeed.
type Outcome struct {
	Step Step
	// Result is that of a step that is compared.
	Result Result
	// Problem says why a step did not succeed that had to; empty if it did.
	Problem string
}

// Differs says whether the step did not do as it was recorded.
func (o Outcome) Differs() bool {
	return o.Problem != "" || o.Step.compared() && !o.Result.equal(o.Step.Recorded)
}

// Run returns the outcomes of the scenario's steps. An error says that the
// scenario could not be begun.
func (r *Runner) Run(ctx context.Context, scenario Scenario) ([]Outcome, error) {
	if err := r.prepare(ctx, scenario.Name); err != nil {
		return nil, err
	}
	defer r.cleanUp(context.WithoutCancel(ctx), scenario)
	var outcomes []Outcome
	for _, step := range scenario.Steps {
		switch step.Kind {
		case fileStep:
			if err := os.WriteFile(filepath.Join(r.Dir, step.Argument), []byte(step.Text), 0o644); err != nil {
				return nil, err
			}
		case runStep, sortStep:
			outcomes = append(outcomes, Outcome{Step: step, Result: r.result(ctx, step)})
		case quietStep, untilStep:
			outcome := Outcome{Step: step}
			seconds, _ := strconv.ParseFloat(step.Argument, 64) // Parse has looked at it; quiet has none
			if got := r.until(ctx, step.Text, time.Duration(seconds*float64(time.Second)), r.limit(step)); got.code != 0 {
				outcome.Problem = fmt.Sprintf("did not succeed: exit %d\n%s", got.code, strings.TrimSpace(got.stdout+got.stderr))
			}
			outcomes = append(outcomes, outcome)
		}
	}
	return outcomes, ctx.Err()
}

func (r *Runner) result(ctx context.Context, step Step) Result {
	got := r.bash(ctx, step.Text, r.limit(step))
	result := Result{Exit: got.code, Stdout: Normalise(got.stdout, r.replacements), Stderr: Normalise(got.stderr, r.replacements)}
	if step.Kind == sortStep {
		result.Stdout, result.Stderr = sorted(result.Stdout), sorted(result.Stderr)
	}
	return result
}

// limit is how long a step's command may run.
func (r *Runner) limit(step Step) time.Duration {
	if reason, known := r.Known[step.Number]; known && !strings.HasPrefix(reason, sometimes) {
		return knownLimit
	}
	return commandLimit
}

// prepare makes the scenario's kubeconfig and namespace.
func (r *Runner) prepare(ctx context.Context, namespace string) error {
	r.env = append(os.Environ(), "HOME="+r.Dir, "TMPDIR="+r.Dir, "KUBECONFIG="+r.Kubeconfig, "NS="+namespace,
		"PATH="+r.Path, "LC_ALL=C", "TZ=UTC")
	if got := r.bash(ctx, "kubectl config view --raw --flatten --minify > kubeconfig", commandLimit); got.code != 0 {
		return errors.New("the kubeconfig can't be read: " + got.stderr)
	}
	r.env = append(r.env, "KUBECONFIG="+filepath.Join(r.Dir, "kubeconfig"))
	server := r.bash(ctx, "kubectl config view -o 'jsonpath={.clusters[0].cluster.server}'", commandLimit).stdout
	_, address, found := strings.Cut(server, "//")
	if !found || address == "" {
		return fmt.Errorf("the kubeconfig has no server's URL, but %q", server)
	}
	r.replacements = []Replacement{{r.Dir, "DIR"}, {server, "SERVER"}, {address, "SERVER"}}
	r.bash(ctx, "kubectl config set-context --current --namespace=$NS", commandLimit)
	if got := r.until(ctx, "kubectl create namespace $NS", time.Minute, commandLimit); got.code != 0 {
		return errors.New("the namespace can't be created: " + got.stderr)
	}
	r.until(ctx, "kubectl get serviceaccount/default configmap/kube-root-ca.crt", time.Minute, commandLimit)
	return nil
}

func (r *Runner) cleanUp(ctx context.Context, scenario Scenario) {
	for _, step := range scenario.Steps {
		if step.Kind == afterStep {
			r.bash(ctx, step.Text, commandLimit)
		}
	}
}

type output struct {
	code           int
	stdout, stderr string
}

// until runs a command until it succeeds, at least once and for each at most
// for as long as the limit says. Its patience is with a machine that is not
// busy; others are given four times as much.
func (r *Runner) until(ctx context.Context, command string, patience, limit time.Duration) output {
	deadline := time.Now().Add(min(4*patience, limit))
	for {
		got := r.bash(ctx, command, limit)
		if got.code == 0 || time.Now().After(deadline) || ctx.Err() != nil {
			return got
		}
		time.Sleep(pause)
	}
}

// bash runs a command in a process group of its own, all of which ends with it
// if it takes too long.
func (r *Runner) bash(ctx context.Context, command string, limit time.Duration) output {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir, cmd.Env = r.Dir, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	kill := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = kill
	cmd.WaitDelay = limit // for those whom bash left behind with its output
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	got := output{stdout: stdout.String(), stderr: stderr.String()}
	switch {
	case ctx.Err() != nil || errors.Is(err, exec.ErrWaitDelay):
		_ = kill() // its children; there may be none left
		got.code = 124
		got.stderr += fmt.Sprintf("\nstopped after %.0f seconds\n", limit.Seconds())
	case cmd.ProcessState == nil: // it has not begun
		got.code, got.stderr = 127, err.Error()
	default:
		got.code = exitCode(cmd.ProcessState)
	}
	return got
}

// exitCode is the exit code, or minus the number of the signal that ended bash,
// as the fixtures were recorded.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -int(status.Signal())
	}
	return state.ExitCode()
}
