package endpoints

import (
	"net/http"

	"tidepool.dev/tidepool/engine/store"
)

// review answers a question about identity or access.
func (q *request) review(r *resource) error {
	if r.Namespaced && q.namespace == "" {
		return methodNotAllowed()
	}
	opts, err := q.writeOptions("CreateOptions")
	if err != nil {
		return err
	}
	question := r.New()
	if err := q.decode(r.served, question, opts.validation); err != nil {
		return err
	}
	if err := q.place(r, question); err != nil {
		return err
	}
	var answer store.Object
	err = q.do(func() (err error) {
		answer, err = r.answer(q.ctx, q.user, question)
		return err
	})
	if err != nil {
		return err
	}
	return q.sendObject(http.StatusCreated, r, answer)
}
