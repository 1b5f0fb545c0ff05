# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Certificate authorities and devices, made for one test run."""
import hashlib
import pathlib
import secrets
import ssl
import subprocess

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat)

import der

ORGANISATION = ("2.5.4.10", "Example Corp")


def new_key(kind="P-256"):
    """A private key: "P-256", "P-384", "RSA-2048", ..."""
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
    return ec.generate_private_key({"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}[kind]())


def key_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL,
                             NoEncryption()).decode()


def certificate_id(der_bytes):
    """SHA-256 over the DER, as 64 lower-case digits (aws-iot B.1)."""
    return hashlib.sha256(der_bytes).hexdigest()


class Certificate:
    """Common to authorities and devices."""

    def __init__(self, name, der_bytes, key, key_text):
        self.name = name
        self.der = der_bytes
        self.pem = der.pem(der_bytes)
        self.id = certificate_id(der_bytes)
        self.key = key
        self.key_text = key_text

    def __repr__(self):
        return "<%s %r %s>" % (type(self).__name__, self.name, self.id[:8])


class Authority(Certificate):
    """A CA, which issues certificates and may be registered."""

    def __init__(self, name, der_bytes, key, subject):
        super().__init__(name, der_bytes, key, key_pem(key))
        self.subject = subject

    def files(self, directory):
        """Its certificate and key as files, for a command line."""
        directory = pathlib.Path(directory)
        certificate, key = directory / "ca.pem", directory / "ca.key"
        certificate.write_text(self.pem)
        key.write_text(self.key_text)
        return certificate, key


class Device(Certificate):
    """A device, which presents its certificate, alone or with the CA's behind it."""

    def __init__(self, name, der_bytes, key, key_text, issuer, chain=()):
        super().__init__(name, der_bytes, key, key_text)
        self.issuer = issuer
        self.chain = list(chain)
        self.client_id = name
        self.weak = False  # no library of today would use it by itself

    def with_chain(self, *authorities):
        """The same device, presenting `cat device ca > combined`."""
        return Device(self.name, self.der, self.key, self.key_text, self.issuer, authorities)

    def files(self, directory):
        directory = pathlib.Path(directory)
        certificate = directory / ("%s.pem" % self.id[:16])
        key = directory / ("%s.key" % self.id[:16])
        certificate.write_text(self.pem + "".join(a.pem for a in self.chain))
        key.write_text(self.key_text)
        return certificate, key

    def tls(self, pki, maximum_version=None):
        """TLS options for a broker of this PKI."""
        context = pki.tls(weak=self.weak)
        context.load_cert_chain(*self.files(pki.directory))
        if maximum_version is not None:
            context.maximum_version = maximum_version
        return context


class Pki:
    """Makes certificates for tests. The broker's own certificate has a separate CA, so that no
    device CA is trusted for anything else."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        server = self.ca("server CA")
        self.server_ca = self.directory / "server-ca.pem"
        self.server_certificate = self.directory / "server.pem"
        self.server_key = self.directory / "server.key"
        leaf = self.device("localhost", issuer=server,
                           extensions=[der.subject_alt_names(["localhost"])])
        self.server_ca.write_text(server.pem)
        self.server_certificate.write_text(leaf.pem)
        self.server_key.write_text(leaf.key_text)
        for path in self.directory.iterdir():
            path.chmod(0o644)

    def tls(self, weak=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        if weak:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_verify_locations(self.server_ca)
        return context

    def ca(self, common_name, *, parent=None, key=None, days=(-1, 3650), extensions=None,
           key_ids=True, **how):
        """A CA, self-signed or below another one."""
        key = key or new_key()
        subject = der.name(ORGANISATION, (der.COMMON_NAME, common_name))
        signer = parent.key if parent else key
        if extensions is None:
            extensions = [der.basic_constraints(True)]
            if key_ids:
                extensions += [der.subject_key_id(key), der.authority_key_id(signer)]
        body = der.certificate(
            subject, parent.subject if parent else subject, key, signer,
            secrets.randbits(120) + 1, der.days_from_now(days[0]), der.days_from_now(days[1]),
            extensions, **how)
        return Authority(common_name, body, key, subject)

    def device(self, common_name, issuer, *, key=None, days=(-1, 365), extensions=(),
               key_ids=True, serial=None, version=3, subject=None, **how):
        """A device certificate signed by the CA."""
        key = key or new_key()
        extensions = list(extensions)
        if version == 3 and key_ids:
            extensions.append(der.authority_key_id(issuer.key))
        body = der.certificate(
            subject or der.name(ORGANISATION, (der.COMMON_NAME, common_name)), issuer.subject,
            key, issuer.key, secrets.randbits(120) + 1 if serial is None else serial,
            der.days_from_now(days[0]), der.days_from_now(days[1]), extensions,
            version=version, **how)
        return Device(common_name, body, key, key_pem(key), issuer)

    def rsa_512_device(self, common_name, issuer):
        """A device whose key is too short for every library but this command."""
        def openssl(*words, text=None):
            return subprocess.run(["openssl", *words], input=text, check=True,
                                  capture_output=True).stdout

        text = openssl("genrsa", "-traditional", "512")
        public = openssl("rsa", "-pubout", "-outform", "DER", text=text)
        body = der.certificate(
            der.name(ORGANISATION, (der.COMMON_NAME, common_name)), issuer.subject, public,
            issuer.key, secrets.randbits(120), der.days_from_now(-1), der.days_from_now(365))
        return Device(common_name, body, None, text.decode(), issuer)

    def verification(self, ca, code, *, signer=None, issuer=None, days=(-1, 30), version=3,
                     subject=None, **how):
        """Proof of possession of the CA's key: the code as common name (aws-iot C)."""
        return der.pem(der.certificate(
            subject or der.name((der.COMMON_NAME, code)), (issuer or ca).subject, new_key(),
            (signer or ca).key, secrets.randbits(120), der.days_from_now(days[0]),
            der.days_from_now(days[1]), version=version, **how))

    def verification_by_recipe(self, ca, code, directory):
        """The same with the commands of AWS's documentation, which make an X.509 certificate of
        version 1 with OpenSSL 3.0 (aws-iot C)."""
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=directory)

        ca.files(directory)
        openssl("genrsa", "-out", "verification.key", "2048")
        openssl("req", "-new", "-key", "verification.key", "-out", "verification.csr",
                "-subj", "/CN=" + code)
        openssl("x509", "-req", "-in", "verification.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", "verification.pem", "-days", "500", "-sha256")
        return (pathlib.Path(directory) / "verification.pem").read_text()
