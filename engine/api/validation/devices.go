package validation

import (
	"fmt"
	"slices"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// What follows is k8s.io/kubernetes/pkg/apis/resource/validation, without the
// expressions that select devices, which nothing here evaluates: no device is
// ever allocated. What upstream checks declaratively comes last.

// DeviceClass checks a new DeviceClass.
func DeviceClass(c *resourcev1.DeviceClass) field.ErrorList {
	path := field.NewPath("spec")
	errs := deviceSelectors(c.Spec.Selectors, path.Child("selectors"))
	for i := range c.Spec.Config {
		errs = append(errs, deviceConfiguration(&c.Spec.Config[i].DeviceConfiguration, path.Child("config").Index(i))...)
	}
	errs = append(errs, tooMany(path.Child("config"), len(c.Spec.Config), resourcev1.DeviceConfigMaxSize)...)
	if name := c.Spec.ExtendedResourceName; name != nil && (!strings.Contains(*name, "/") || len(qualifiedName(*name)) > 0 || strings.HasPrefix(*name, "requests.") || strings.Contains(*name, "kubernetes.io/")) {
		errs = append(errs, field.Invalid(path.Child("extendedResourceName"), *name, "must be a valid extended resource name"))
	}
	return errs
}

// DeviceClassUpdate checks a DeviceClass that replaces another.
func DeviceClassUpdate(c, _ *resourcev1.DeviceClass) field.ErrorList { return DeviceClass(c) }

func tooMany(path *field.Path, length, most int) field.ErrorList {
	if length <= most {
		return nil
	}
	return field.ErrorList{field.TooMany(path, length, most)}
}

func deviceSelectors(selectors []resourcev1.DeviceSelector, path *field.Path) (errs field.ErrorList) {
	if errs = tooMany(path, len(selectors), resourcev1.DeviceSelectorsMaxSize); len(errs) > 0 {
		return errs
	}
	for i := range selectors {
		cel := path.Index(i).Child("cel")
		switch {
		case selectors[i].CEL == nil:
			errs = append(errs, field.Required(cel, ""))
		case len(selectors[i].CEL.Expression) > resourcev1.CELSelectorExpressionMaxLength:
			errs = append(errs, field.TooLong(cel.Child("expression"), "", resourcev1.CELSelectorExpressionMaxLength))
		}
	}
	return errs
}

func deviceConfiguration(c *resourcev1.DeviceConfiguration, path *field.Path) field.ErrorList {
	opaque := path.Child("opaque")
	if c.Opaque == nil {
		return field.ErrorList{field.Required(opaque, "")}
	}
	errs := driverName(opaque.Child("driver"), c.Opaque.Driver)
	switch parameters := opaque.Child("parameters"); {
	case len(c.Opaque.Parameters.Raw) == 0:
		errs = append(errs, field.Required(parameters, ""))
	case len(c.Opaque.Parameters.Raw) > resourcev1.OpaqueParametersMaxLength:
		errs = append(errs, field.TooLong(parameters, "", resourcev1.OpaqueParametersMaxLength))
	}
	return errs
}

func poolName(path *field.Path, name string) (errs field.ErrorList) {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	if len(name) > resourcev1.PoolNameMaxLength {
		errs = append(errs, field.TooLong(path, "", resourcev1.PoolNameMaxLength))
	}
	for part := range strings.SplitSeq(name, "/") {
		errs = append(errs, invalid(path, part, dnsSubdomain(part))...)
	}
	return errs
}

// requiredLabel checks a name that has to be there and is a DNS label.
func requiredLabel(path *field.Path, name string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return invalid(path, name, dnsLabel(name))
}

// deviceQualifiedName checks a name such as "memory" or "gpu.example.com/memory".
func deviceQualifiedName(path *field.Path, name string, domain bool) (errs field.ErrorList) {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	prefix, id, found := strings.Cut(name, "/")
	switch {
	case !found && domain:
		return field.ErrorList{field.Invalid(path, name, "must include a domain")}
	case !found:
		prefix, id = "", name
	}
	if found {
		if len(prefix) > resourcev1.DeviceMaxDomainLength {
			errs = append(errs, field.TooLong(path, "", resourcev1.DeviceMaxDomainLength))
		}
		errs = append(errs, invalid(path, prefix, dnsSubdomain(prefix))...)
	}
	if len(id) > resourcev1.DeviceMaxIDLength {
		errs = append(errs, field.TooLong(path, "", resourcev1.DeviceMaxIDLength))
	}
	return append(errs, invalid(path, id, content.IsCIdentifier(id))...)
}

// DeviceTaintRule checks a new DeviceTaintRule.
func DeviceTaintRule(r *resourcev1.DeviceTaintRule) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if s := r.Spec.DeviceSelector; s != nil {
		at := path.Child("deviceSelector")
		if s.Driver != nil {
			errs = append(errs, driverName(at.Child("driver"), *s.Driver)...)
		}
		if s.Pool != nil {
			errs = append(errs, poolName(at.Child("pool"), *s.Pool)...)
		}
		if s.Device != nil {
			errs = append(errs, invalid(at.Child("device"), *s.Device, dnsLabel(*s.Device))...)
		}
	}
	return append(errs, deviceTaint(&r.Spec.Taint, path.Child("taint"))...)
}

func deviceTaint(t *resourcev1.DeviceTaint, path *field.Path) field.ErrorList {
	errs := labelName(path, "key", t.Key)
	if t.Value != "" {
		errs = append(errs, invalid(path.Child("value"), t.Value, labelValue(t.Value))...)
	}
	return append(errs, oneOf(path.Child("effect"), t.Effect,
		resourcev1.DeviceTaintEffectNoExecute, resourcev1.DeviceTaintEffectNoSchedule, resourcev1.DeviceTaintEffectNone)...)
}

// DeviceTaintRuleUpdate checks a DeviceTaintRule that replaces another.
func DeviceTaintRuleUpdate(r, _ *resourcev1.DeviceTaintRule) field.ErrorList {
	return DeviceTaintRule(r)
}

// DeviceTaintRuleStatusUpdate checks the status alone.
func DeviceTaintRuleStatusUpdate(r, _ *resourcev1.DeviceTaintRule) field.ErrorList {
	path := field.NewPath("status", "conditions")
	return append(metav1validation.ValidateConditions(r.Status.Conditions, path),
		tooMany(path, len(r.Status.Conditions), resourcev1.DeviceTaintRuleStatusMaxConditions)...)
}

// ResourceSlice checks a new ResourceSlice.
func ResourceSlice(s *resourcev1.ResourceSlice) field.ErrorList {
	path := field.NewPath("spec")
	errs := driverName(path.Child("driver"), s.Spec.Driver)
	pool := path.Child("pool")
	errs = append(errs, poolName(pool.Child("name"), s.Spec.Pool.Name)...)
	if count := s.Spec.Pool.ResourceSliceCount; count <= 0 {
		errs = append(errs, field.Invalid(pool.Child("resourceSliceCount"), count, "must be greater than zero"))
	}
	if generation := s.Spec.Pool.Generation; generation < 0 {
		errs = append(errs, field.Invalid(pool.Child("generation"), generation, "must be greater than or equal to zero"))
	}
	errs = append(errs, sliceNodes(&s.Spec, path)...)
	if s.Spec.SharedCounters != nil && s.Spec.Devices != nil {
		errs = append(errs, field.Invalid(path, "", "only one of `sharedCounters` or `devices` is allowed"))
	}
	most := resourcev1.ResourceSliceMaxDevices
	for i := range s.Spec.Devices {
		if len(s.Spec.Devices[i].Taints) > 0 || len(s.Spec.Devices[i].ConsumesCounters) > 0 {
			most = resourcev1.ResourceSliceMaxDevicesWithAdvancedFeatures
		}
	}
	devices := path.Child("devices")
	if many := tooMany(devices, len(s.Spec.Devices), most); len(many) > 0 {
		return append(errs, many...)
	}
	names := make([]string, len(s.Spec.Devices))
	for i := range s.Spec.Devices {
		names[i] = s.Spec.Devices[i].Name
		errs = append(errs, device(&s.Spec.Devices[i], devices.Index(i))...)
	}
	return append(errs, repeated(devices, names)...)
}

// repeated complains about each name that has come before.
func repeated(path *field.Path, names []string) (errs field.ErrorList) {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			errs = append(errs, field.Duplicate(path.Index(i), name))
		}
	}
	return errs
}

// sliceNodes: it is said in one way from where the devices can be reached.
func sliceNodes(s *resourcev1.ResourceSliceSpec, path *field.Path) (errs field.ErrorList) {
	const one = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
	var ways []string
	if s.NodeName != nil {
		if *s.NodeName == "" {
			errs = append(errs, field.Invalid(path.Child("nodeName"), "", "must be either unset or set to a non-empty string"))
		} else {
			ways = append(ways, "`nodeName`")
			errs = append(errs, invalid(path.Child("nodeName"), *s.NodeName, objectName(*s.NodeName, false))...)
		}
	}
	if s.NodeSelector != nil {
		ways = append(ways, "`nodeSelector`")
		errs = append(errs, nodeSelector(path.Child("nodeSelector"), s.NodeSelector)...)
		if terms := s.NodeSelector.NodeSelectorTerms; len(terms) != 1 {
			errs = append(errs, field.Invalid(path.Child("nodeSelector", "nodeSelectorTerms"), internal(terms), "must have exactly one node selector term"))
		}
	}
	for _, way := range []struct {
		name  string
		value *bool
	}{{"allNodes", s.AllNodes}, {"perDeviceNodeSelection", s.PerDeviceNodeSelection}} {
		switch {
		case way.value == nil:
		case *way.value:
			ways = append(ways, "`"+way.name+"`")
		default:
			errs = append(errs, field.Invalid(path.Child(way.name), false, "must be either unset or set to true"))
		}
	}
	switch {
	case len(ways) == 0:
		errs = append(errs, field.Required(path, one))
	case len(ways) > 1:
		errs = append(errs, field.Invalid(path, fmt.Sprintf("{%s}", strings.Join(ways, ", ")), one+", but multiple fields are set"))
	}
	return errs
}

func device(d *resourcev1.Device, path *field.Path) field.ErrorList {
	errs := requiredLabel(path.Child("name"), d.Name)
	if count := len(d.Attributes) + len(d.Capacity); count > resourcev1.ResourceSliceMaxAttributesAndCapacitiesPerDevice {
		errs = append(errs, field.Invalid(path, count, fmt.Sprintf("the total number of attributes and capacities must not exceed %d", resourcev1.ResourceSliceMaxAttributesAndCapacitiesPerDevice)))
	}
	for _, name := range sorted(d.Attributes) {
		at := path.Child("attributes").Key(string(name))
		errs = append(errs, deviceQualifiedName(at, string(name), false)...)
		errs = append(errs, deviceAttribute(d.Attributes[name], at)...)
	}
	for _, name := range sorted(d.Capacity) {
		errs = append(errs, deviceQualifiedName(path.Child("capacity").Key(string(name)), string(name), false)...)
	}
	taints := path.Child("taints")
	if many := tooMany(taints, len(d.Taints), resourcev1.DeviceTaintsMaxLength); len(many) > 0 {
		return append(errs, many...)
	}
	for i := range d.Taints {
		errs = append(errs, deviceTaint(&d.Taints[i], taints.Index(i))...)
	}
	return errs
}

// deviceAttribute: it has one value.
func deviceAttribute(a resourcev1.DeviceAttribute, path *field.Path) (errs field.ErrorList) {
	count := 0
	for _, set := range []bool{a.BoolValue != nil, a.IntValue != nil, a.StringValue != nil, a.VersionValue != nil,
		a.BoolValues != nil, a.IntValues != nil, a.StringValues != nil, a.VersionValues != nil} {
		if set {
			count++
		}
	}
	for name, value := range map[string]*string{"string": a.StringValue, "version": a.VersionValue} {
		if value != nil && len(*value) > resourcev1.DeviceAttributeMaxValueLength {
			errs = append(errs, field.TooLong(path.Child(name), "", resourcev1.DeviceAttributeMaxValueLength))
		}
	}
	switch count {
	case 1:
	case 0:
		errs = append(errs, field.Required(path, "exactly one value must be specified"))
	default:
		errs = append(errs, field.Invalid(path, internal(a), "exactly one value must be specified"))
	}
	return errs
}

// ResourceSliceUpdate checks a ResourceSlice that replaces another.
func ResourceSliceUpdate(s, old *resourcev1.ResourceSlice) field.ErrorList {
	errs := ResourceSlice(s)
	path := field.NewPath("spec")
	errs = append(errs, immutable(path.Child("driver"), s.Spec.Driver, old.Spec.Driver)...)
	errs = append(errs, immutable(path.Child("pool", "name"), s.Spec.Pool.Name, old.Spec.Pool.Name)...)
	return append(errs, immutable(path.Child("nodeName"), s.Spec.NodeName, old.Spec.NodeName)...)
}
