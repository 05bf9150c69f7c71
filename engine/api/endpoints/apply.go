package endpoints

import (
	"net/http"

	autoscalingv1 "k8s.io/api/autoscaling/v1"

	"tidepool.dev/tidepool/engine/api/patch"
	"tidepool.dev/tidepool/engine/api/rest"
	"tidepool.dev/tidepool/engine/store"
)

// apply is server-side apply.
func (q *request) apply(r *resource, p patch.Patch, part rest.Part, opts writeOptions) error {
	config, err := q.configuration(r, p, opts)
	if err != nil {
		return err
	}
	opts.Version = r.apiVersion()
	var obj store.Object
	var created bool
	err = q.do(func() (err error) {
		obj, created, err = q.Operations.Apply(q.ctx, r.Kind, q.namespace, q.name, part, config, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	code := http.StatusOK
	if created {
		code = http.StatusCreated
	}
	return q.sendObject(code, r, obj)
}

func (q *request) configuration(r *resource, p patch.Patch, opts writeOptions) (rest.Configuration, error) {
	config, err := p.Configuration()
	return rest.Configuration{Object: config, Force: opts.force, Check: func(obj store.Object) error {
		warnings, err := p.CheckStrictly()
		if err != nil {
			return err
		}
		for _, text := range warnings {
			q.w.warn(text)
		}
		if err := q.place(r, obj); err != nil {
			return err
		}
		if err := q.checkName(obj); err != nil {
			return err
		}
		q.dropDuplicateOwners(obj)
		return nil
	}}, err
}

func (q *request) applyScale(r *resource, p patch.Patch, opts writeOptions) error {
	config, err := q.configuration(r, p, opts)
	if err != nil {
		return err
	}
	var scale *autoscalingv1.Scale
	err = q.do(func() (err error) {
		scale, err = q.Operations.ApplyScale(q.ctx, r.Kind, q.namespace, q.name, config, opts.WriteOptions)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendScale(scale)
}
