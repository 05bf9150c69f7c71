package helm

import (
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	ri "helm.sh/helm/v3/pkg/release"
)

type v3 struct {
	namespace string
	config    *action.Configuration
}

func newV3(kubeconfig, namespace string) (helm, error) {
	settings := cli.New()
	settings.KubeConfig = kubeconfig
	settings.SetNamespace(namespace)
	config := &action.Configuration{}
	return &v3{namespace, config}, config.Init(settings.RESTClientGetter(), namespace, "", func(string, ...any) {})
}

func (h *v3) install(changed values) (string, error) {
	loaded, err := loader.Load(chart)
	if err != nil {
		return "", err
	}
	install := action.NewInstall(h.config)
	install.ReleaseName, install.Namespace = release, h.namespace
	install.Wait, install.WaitForJobs, install.Timeout = true, true, patience
	made, err := install.Run(loaded, changed)
	if err != nil {
		return "", err
	}
	return made.Info.Notes, nil
}

func (h *v3) upgrade(changed values) error {
	loaded, err := loader.Load(chart)
	if err != nil {
		return err
	}
	upgrade := action.NewUpgrade(h.config)
	upgrade.Namespace, upgrade.Wait, upgrade.Timeout = h.namespace, true, patience
	_, err = upgrade.Run(release, loaded, changed)
	return err
}

func (h *v3) rollback(revision int) error {
	rollback := action.NewRollback(h.config)
	rollback.Version, rollback.Wait, rollback.Timeout = revision, true, patience
	return rollback.Run(release)
}

func (h *v3) test() error {
	tests := action.NewReleaseTesting(h.config)
	tests.Namespace, tests.Timeout = h.namespace, patience
	_, err := tests.Run(release)
	return err
}

func (h *v3) uninstall() error {
	uninstall := action.NewUninstall(h.config)
	uninstall.Wait, uninstall.Timeout, uninstall.DeletionPropagation = true, patience, "foreground"
	_, err := uninstall.Run(release)
	return err
}

func (h *v3) list() ([]string, error) { return statesV3(action.NewList(h.config).Run()) }

func (h *v3) history() ([]string, error) { return statesV3(action.NewHistory(h.config).Run(release)) }

func statesV3(releases []*ri.Release, err error) (found []string, _ error) {
	for _, r := range releases {
		found = append(found, fmt.Sprintf("%d %s", r.Version, r.Info.Status))
	}
	return found, err
}
