package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"

	"tidepool.dev/tidepool/engine/api/certificates"
)

// short certificates are those whose end is not backdated with their beginning.
const short = 8 * time.Hour

func parse(request []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(request)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("PEM block type must be CERTIFICATE REQUEST")
	}
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	return parsed, parsed.CheckSignature()
}

// Parse implements certificates.Authority.
func (a *Authority) Parse(request []byte) (certificates.Request, error) {
	parsed, err := parse(request)
	if err != nil {
		return certificates.Request{}, err
	}
	r := certificates.Request{
		CommonName:    parsed.Subject.CommonName,
		Organizations: parsed.Subject.Organization,
		DNSNames:      parsed.DNSNames,
		Emails:        parsed.EmailAddresses,
	}
	for _, ip := range parsed.IPAddresses {
		r.IPs = append(r.IPs, ip.String())
	}
	for _, uri := range parsed.URIs {
		r.URIs = append(r.URIs, uri.String())
	}
	return r, nil
}

// Sign implements certificates.Authority: the certificate has the request's
// subject and names, and the usages that are given
// (k8s.io/kubernetes/pkg/controller/certificates/authority upstream).
func (a *Authority) Sign(request []byte, usages []certificatesv1.KeyUsage, lifetime time.Duration) ([]byte, error) {
	parsed, err := parse(request)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if !now.Before(a.certificate.NotAfter) {
		return nil, fmt.Errorf("the signer has expired: NotAfter=%v", a.certificate.NotAfter)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               parsed.Subject,
		DNSNames:              parsed.DNSNames,
		IPAddresses:           parsed.IPAddresses,
		EmailAddresses:        parsed.EmailAddresses,
		URIs:                  parsed.URIs,
		BasicConstraintsValid: true,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(lifetime),
	}
	if lifetime >= short {
		template.NotAfter = template.NotAfter.Add(-backdate)
	}
	if a.certificate.NotAfter.Before(template.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	for _, usage := range usages {
		if key, ok := keyUsages[usage]; ok {
			template.KeyUsage |= key
		} else if extended, ok := extendedUsages[usage]; ok {
			template.ExtKeyUsage = append(template.ExtKeyUsage, extended)
		} else {
			return nil, fmt.Errorf("unrecognized usage values: %q", []certificatesv1.KeyUsage{usage})
		}
	}
	slices.Sort(template.ExtKeyUsage)
	template.ExtKeyUsage = slices.Compact(template.ExtKeyUsage)
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, parsed.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// NotAfter implements certificates.Authority.
func (a *Authority) NotAfter(certificate []byte) (time.Time, bool) {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return time.Time{}, false
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return parsed.NotAfter, true
}

var keyUsages = map[certificatesv1.KeyUsage]x509.KeyUsage{
	certificatesv1.UsageSigning:           x509.KeyUsageDigitalSignature,
	certificatesv1.UsageDigitalSignature:  x509.KeyUsageDigitalSignature,
	certificatesv1.UsageContentCommitment: x509.KeyUsageContentCommitment,
	certificatesv1.UsageKeyEncipherment:   x509.KeyUsageKeyEncipherment,
	certificatesv1.UsageKeyAgreement:      x509.KeyUsageKeyAgreement,
	certificatesv1.UsageDataEncipherment:  x509.KeyUsageDataEncipherment,
	certificatesv1.UsageCertSign:          x509.KeyUsageCertSign,
	certificatesv1.UsageCRLSign:           x509.KeyUsageCRLSign,
	certificatesv1.UsageEncipherOnly:      x509.KeyUsageEncipherOnly,
	certificatesv1.UsageDecipherOnly:      x509.KeyUsageDecipherOnly,
}

var extendedUsages = map[certificatesv1.KeyUsage]x509.ExtKeyUsage{
	certificatesv1.UsageAny:             x509.ExtKeyUsageAny,
	certificatesv1.UsageServerAuth:      x509.ExtKeyUsageServerAuth,
	certificatesv1.UsageClientAuth:      x509.ExtKeyUsageClientAuth,
	certificatesv1.UsageCodeSigning:     x509.ExtKeyUsageCodeSigning,
	certificatesv1.UsageEmailProtection: x509.ExtKeyUsageEmailProtection,
	certificatesv1.UsageSMIME:           x509.ExtKeyUsageEmailProtection,
	certificatesv1.UsageIPsecEndSystem:  x509.ExtKeyUsageIPSECEndSystem,
	certificatesv1.UsageIPsecTunnel:     x509.ExtKeyUsageIPSECTunnel,
	certificatesv1.UsageIPsecUser:       x509.ExtKeyUsageIPSECUser,
	certificatesv1.UsageTimestamping:    x509.ExtKeyUsageTimeStamping,
	certificatesv1.UsageOCSPSigning:     x509.ExtKeyUsageOCSPSigning,
	certificatesv1.UsageMicrosoftSGC:    x509.ExtKeyUsageMicrosoftServerGatedCrypto,
	certificatesv1.UsageNetscapeSGC:     x509.ExtKeyUsageNetscapeServerGatedCrypto,
}
