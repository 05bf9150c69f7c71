package validation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestDevices(t *testing.T) {
	claim := func(text string) field.ErrorList { return ResourceClaim(read[resourcev1.ResourceClaim](t, text)) }
	slice := func(text string) field.ErrorList { return ResourceSlice(read[resourcev1.ResourceSlice](t, text)) }
	for name, test := range map[string]struct {
		errs field.ErrorList
		want string
	}{
		"claim": {claim(`{"spec":{"devices":{"requests":[{"name":"gpu","exactly":{"deviceClassName":"gpu.example.com","allocationMode":"ExactCount","count":1}}],
			"constraints":[{"requests":["gpu"],"matchAttribute":"example.com/model"}]}}}`), ""},
		"no kind of request": {claim(`{"spec":{"devices":{"requests":[{"name":"gpu"}]}}}`),
			"spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"},
		"wrong request": {claim(`{"spec":{"devices":{"requests":[{"exactly":{"allocationMode":"All","count":2}},{"exactly":{"deviceClassName":"x","allocationMode":"Some"}}]}}}`),
			`spec.devices.requests[0].name: Required value, spec.devices.requests[0].exactly.deviceClassName: Required value, spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All', ` +
				`spec.devices.requests[1].name: Required value, spec.devices.requests[1].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount", spec.devices.requests[1]: Duplicate value: ""`},
		"unknown request": {claim(`{"spec":{"devices":{"requests":[{"name":"a","firstAvailable":[{"name":"b","deviceClassName":"x","allocationMode":"All"}]}],"config":[{"requests":["a/b","a/c"],"opaque":{"driver":"d","parameters":{}}}]}}}`),
			`spec.devices.config[0].requests[1]: Invalid value: "a/c": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'`},
		"slice": {slice(`{"spec":{"driver":"gpu.example.com","nodeName":"n","pool":{"name":"n","resourceSliceCount":1},"devices":[{"name":"gpu-0","attributes":{"model":{"string":"x"}},"capacity":{"gpu.example.com/memory":{"value":"1Gi"}}}]}}`), ""},
		"wrong slice": {slice(`{"spec":{"allNodes":true,"nodeName":"n","pool":{},"devices":[{"name":"gpu","attributes":{"a.b":{}}},{"name":"gpu"}]}}`),
			"spec.driver: Required value, spec.pool.name: Required value, spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero, " +
				"spec: Invalid value: \"{`nodeName`, `allNodes`}\": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set, " +
				`spec.devices[0].attributes[a.b]: Invalid value: "a.b": a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*'), ` +
				"spec.devices[0].attributes[a.b]: Required value: exactly one value must be specified, spec.devices[1]: Duplicate value: \"gpu\""},
		"taint rule": {DeviceTaintRule(read[resourcev1.DeviceTaintRule](t, `{"spec":{"taint":{"key":"a","effect":"PreferNoSchedule"}}}`)),
			`spec.taint.effect: Unsupported value: "PreferNoSchedule": supported values: "NoExecute", "NoSchedule", "None"`},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range test.errs {
				got = append(got, strings.TrimSuffix(err.Error(), ": "))
			}
			if strings.Join(got, ", ") != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), test.want)
			}
		})
	}
}

func read[T any](t *testing.T, text string) *T {
	t.Helper()
	obj := new(T)
	if err := json.Unmarshal([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestClusterTrustBundle(t *testing.T) {
	certificates := Certificates(func(der []byte) (bool, bool, error) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return false, false, err
		}
		return c.IsCA, c.BasicConstraintsValid, nil
	})
	certificate := func(authority bool) string {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, IsCA: authority, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	root := certificate(true)
	for name, test := range map[string]struct{ name, signer, bundle, want string }{
		"valid":        {"x", "", root + certificate(true), ""},
		"of a signer":  {"example.com:foo:abc", "example.com/foo", root, ""},
		"wrong prefix": {"abc", "example.com/foo", root, "ClusterTrustBundle for signerName example.com/foo must be named with prefix example.com:foo:"},
		"no signer":    {"a:b", "", root, `ClusterTrustBundle without signer name must not have ":" in its name`},
		"empty":        {"x", "", "", "at least one trust anchor must be provided"},
		"leaf":         {"x", "", root + certificate(false), "entry 1 does not have the CA bit set"},
		"twice":        {"x", "", root + root, "duplicate trust anchor (indices [0 1])"},
		"other block":  {"x", "", "-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n", "entry 0 has bad block type: KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &certificatesv1.ClusterTrustBundle{Spec: certificatesv1.ClusterTrustBundleSpec{SignerName: test.signer, TrustBundle: test.bundle}}
			b.Name = test.name
			errs := certificates.ClusterTrustBundle(b)
			if test.want == "" && len(errs) > 0 || test.want != "" && (len(errs) != 1 || errs[0].Detail != test.want) {
				t.Errorf("got %v, want %s", errs, test.want)
			}
		})
	}
}
