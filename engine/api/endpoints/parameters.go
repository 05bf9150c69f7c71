package endpoints

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"tidepool.dev/tidepool/engine/api/authorization"
	"tidepool.dev/tidepool/engine/api/managed"
	"tidepool.dev/tidepool/engine/api/rest"
)

// maxBody is the largest body that is read, as upstream.
const maxBody = 3 << 20

func (q *request) body() ([]byte, error) {
	if q.r.Body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(q.r.Body, maxBody+1))
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the body of the request can't be read: %v", err))
	}
	if len(data) > maxBody {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxBody))
	}
	return data, nil
}

// parameters read a query; the first error is kept.
type parameters struct {
	values url.Values
	err    error
}

func (p *parameters) text(name string) string { return p.values.Get(name) }

// flag is true for anything but nothing, "false" and "0", also for a parameter
// without a value.
func (p *parameters) flag(name string) bool {
	values, set := p.values[name]
	return set && len(values) > 0 && values[0] != "false" && values[0] != "0"
}

func (p *parameters) optionalFlag(name string) *bool {
	if _, set := p.values[name]; !set {
		return nil
	}
	return new(p.flag(name))
}

func (p *parameters) integer(name string) *int64 {
	text := p.values.Get(name)
	if text == "" {
		return nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.keep(apierrors.NewBadRequest(err.Error()))
	}
	return &number
}

func (p *parameters) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

func invalidOptions(kind string, errs field.ErrorList) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
}

func (p *parameters) listOptions() rest.ListOptions {
	opts := rest.ListOptions{
		ResourceVersion: p.text("resourceVersion"),
		Match:           metav1.ResourceVersionMatch(p.text("resourceVersionMatch")),
		Continue:        p.text("continue"),
	}
	if limit := p.integer("limit"); limit != nil {
		opts.Limit = *limit
	}
	var err error
	if opts.Labels, err = labels.Parse(p.text("labelSelector")); err != nil {
		p.keep(apierrors.NewBadRequest(err.Error()))
	}
	if opts.Fields, err = fields.ParseSelector(p.text("fieldSelector")); err != nil {
		p.keep(apierrors.NewBadRequest(err.Error()))
	}
	return opts
}

// validateListOptions is
// k8s.io/apimachinery/pkg/apis/meta/internalversion/validation without its
// internal types.
func (p *parameters) validateListOptions(opts *rest.ListOptions, watch bool) error {
	var errs field.ErrorList
	match, path := opts.Match, field.NewPath("resourceVersionMatch")
	initial := p.optionalFlag("sendInitialEvents")
	forbid := func(path *field.Path, text string) { errs = append(errs, field.Forbidden(path, text)) }
	switch {
	case watch && initial != nil && match != metav1.ResourceVersionMatchNotOlderThan:
		forbid(path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
	case watch && match != "" && initial == nil:
		forbid(path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
	case !watch && match != "" && opts.ResourceVersion == "":
		forbid(path, "resourceVersionMatch is forbidden unless resourceVersion is provided")
	}
	if match != "" && opts.Continue != "" {
		forbid(path, "resourceVersionMatch is forbidden when continue is provided")
	}
	switch {
	case match == "" || match == metav1.ResourceVersionMatchNotOlderThan:
	case watch:
		errs = append(errs, field.NotSupported(path, match, []string{string(metav1.ResourceVersionMatchNotOlderThan)}))
	case match != metav1.ResourceVersionMatchExact:
		errs = append(errs, field.NotSupported(path, match,
			[]string{string(metav1.ResourceVersionMatchExact), string(metav1.ResourceVersionMatchNotOlderThan), ""}))
	case opts.ResourceVersion == "0":
		forbid(path, `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`)
	}
	if !watch && initial != nil {
		forbid(field.NewPath("sendInitialEvents"), "sendInitialEvents is forbidden for list")
	}
	if len(errs) > 0 {
		return invalidOptions("ListOptions", errs)
	}
	return nil
}

// writeOptions are the parameters of create, update and patch.
type writeOptions struct {
	rest.WriteOptions
	validation string
	force      bool // of an apply
}

func (q *request) writeOptions(kind string) (writeOptions, error) {
	query := q.r.URL.Query()
	opts := metav1.CreateOptions{
		DryRun:          query["dryRun"],
		FieldManager:    query.Get("fieldManager"),
		FieldValidation: query.Get("fieldValidation"),
	}
	if errs := metav1validation.ValidateCreateOptions(&opts); len(errs) > 0 {
		return writeOptions{}, invalidOptions(kind, errs)
	}
	return q.writeOptionsOf(opts.DryRun, opts.FieldManager, opts.FieldValidation), nil
}

func (q *request) patchOptions(patchType types.PatchType) (writeOptions, error) {
	query := parameters{values: q.r.URL.Query()}
	opts := metav1.PatchOptions{
		DryRun:          query.values["dryRun"],
		Force:           query.optionalFlag("force"),
		FieldManager:    query.text("fieldManager"),
		FieldValidation: query.text("fieldValidation"),
	}
	if errs := metav1validation.ValidatePatchOptions(&opts, patchType); len(errs) > 0 {
		return writeOptions{}, invalidOptions("PatchOptions", errs)
	}
	made := q.writeOptionsOf(opts.DryRun, opts.FieldManager, opts.FieldValidation)
	made.force = opts.Force != nil && *opts.Force
	return made, nil
}

func (q *request) writeOptionsOf(dryRun []string, fieldManager, validation string) writeOptions {
	if validation == "" {
		validation = metav1.FieldValidationWarn
	}
	return writeOptions{validation: validation, WriteOptions: rest.WriteOptions{
		DryRun:    len(dryRun) > 0,
		Warn:      q.w.warn,
		Manager:   managed.ManagerOf(fieldManager, q.r.UserAgent()),
		MayCreate: q.mayCreate,
	}}
}

// mayCreate asks whether the user may create the object that the request was to
// update.
func (q *request) mayCreate() error {
	if q.Authorize == nil {
		return nil
	}
	a := q.attributes(true)
	a.Verb = "create"
	if allowed, reason := q.Authorize(q.ctx, q.user, a); !allowed { // in q.do already
		return apierrors.NewForbidden(a.GroupResource(), a.Name, errors.New(authorization.Denial(q.user, a, reason)))
	}
	return nil
}

// includeObject is what tables carry of their objects.
func includeObject(query url.Values) (metav1.IncludeObjectPolicy, error) {
	switch policy := metav1.IncludeObjectPolicy(query.Get("includeObject")); policy {
	case "":
		return metav1.IncludeMetadata, nil
	case metav1.IncludeNone, metav1.IncludeMetadata, metav1.IncludeObject:
		return policy, nil
	default:
		return "", apierrors.NewBadRequest(fmt.Sprintf(
			"Unable to convert to Table as requested: includeObject: Invalid value: %q: must be '', 'Metadata', 'Object', or 'None'",
			strings.TrimSpace(string(policy))))
	}
}
