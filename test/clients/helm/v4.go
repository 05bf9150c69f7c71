package helm

import (
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/kube"
	ri "helm.sh/helm/v4/pkg/release"
)

const patience = 2 * time.Minute

type v4 struct {
	namespace string
	config    *action.Configuration
}

func newV4(kubeconfig, namespace string) (helm, error) {
	settings := cli.New()
	settings.KubeConfig = kubeconfig
	settings.SetNamespace(namespace)
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	return &v4{namespace, config}, config.Init(settings.RESTClientGetter(), namespace, "")
}

func (h *v4) install(changed values) (string, error) {
	loaded, err := loader.Load(chart)
	if err != nil {
		return "", err
	}
	install := action.NewInstall(h.config)
	install.ReleaseName, install.Namespace = release, h.namespace
	install.WaitStrategy, install.WaitForJobs, install.Timeout = kube.StatusWatcherStrategy, true, patience
	made, err := install.Run(loaded, changed)
	if err != nil {
		return "", err
	}
	access, err := ri.NewAccessor(made)
	if err != nil {
		return "", err
	}
	return access.Notes(), nil
}

func (h *v4) upgrade(changed values) error {
	loaded, err := loader.Load(chart)
	if err != nil {
		return err
	}
	upgrade := action.NewUpgrade(h.config)
	upgrade.Namespace = h.namespace
	upgrade.WaitStrategy, upgrade.Timeout = kube.StatusWatcherStrategy, patience
	_, err = upgrade.Run(release, loaded, changed)
	return err
}

func (h *v4) rollback(revision int) error {
	rollback := action.NewRollback(h.config)
	rollback.Version, rollback.WaitStrategy, rollback.Timeout = revision, kube.StatusWatcherStrategy, patience
	rollback.ServerSideApply = "auto"
	return rollback.Run(release)
}

func (h *v4) test() error {
	tests := action.NewReleaseTesting(h.config)
	tests.Namespace, tests.Timeout = h.namespace, patience
	_, shutdown, err := tests.Run(release)
	if shutdown != nil {
		if err := shutdown(); err != nil {
			return err
		}
	}
	return err
}

func (h *v4) uninstall() error {
	uninstall := action.NewUninstall(h.config)
	uninstall.WaitStrategy, uninstall.Timeout, uninstall.DeletionPropagation = kube.StatusWatcherStrategy, patience, "foreground"
	_, err := uninstall.Run(release)
	return err
}

func (h *v4) list() ([]string, error) { return states(action.NewList(h.config).Run()) }

func (h *v4) history() ([]string, error) { return states(action.NewHistory(h.config).Run(release)) }

func states(releases []ri.Releaser, err error) (found []string, _ error) {
	for _, r := range releases {
		access, err := ri.NewAccessor(r)
		if err != nil {
			return nil, err
		}
		found = append(found, fmt.Sprintf("%d %s", access.Version(), access.Status()))
	}
	return found, err
}
