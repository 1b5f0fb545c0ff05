# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A certification authority kept with `openssl ca`: an index of issued and revoked certificates,
and lists made from it."""
import datetime
import itertools
import pathlib
import subprocess

CONFIGURATION = """
[ca]
default_ca = this
[this]
dir = .
certificate = ca.pem
private_key = ca.key
database = index.txt
new_certs_dir = .
default_md = sha256
unique_subject = no
%s
[list]
%s
[user certificates]
onlyuser = TRUE
[CA certificates]
onlyCA = TRUE
[some reasons]
onlysomereasons = keyCompromise, CACompromise
[indirect]
indirectCRL = TRUE
"""

KEY_ID = "authorityKeyIdentifier = keyid"
DELTA = "2.5.29.27 = critical, DER:020101"

_numbers = itertools.count(1)


def scope(section):
    """An issuingDistributionPoint: the certificates that a list covers."""
    return "issuingDistributionPoint = critical, @" + section


def in_days(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime("%Y%m%d%H%M%SZ")


class OpensslCa:
    def __init__(self, ca, directory):
        self.directory = pathlib.Path(directory) / ("openssl-ca-%d" % next(_numbers))
        self.directory.mkdir()
        ca.files(self.directory)
        (self.directory / "index.txt").touch()

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.directory, capture_output=True,
                              text=True)
        assert done.returncode == 0, "%s\n%s" % (words, done.stderr)

    def _configure(self, extensions, number):
        more = ["crl_extensions = list"] if extensions or number is not None else []
        if number is not None:
            more.append("crlnumber = number")
            digits = "%X" % number
            (self.directory / "number").write_text("0" * (len(digits) % 2) + digits + "\n")
        (self.directory / "openssl.cnf").write_text(
            CONFIGURATION % ("\n".join(more), "\n".join(extensions)))

    def revoke(self, device, reason=None):
        """reason: as openssl writes it, "keyCompromise", "certificateHold"."""
        self._configure((), None)
        path = self.directory / ("%s.pem" % device.id)
        path.write_text(device.pem)
        self._openssl("ca", "-config", "openssl.cnf", "-revoke", path.name,
                      *(["-crl_reason", reason] if reason else []))

    def forget(self):
        """No certificate is revoked any more, as after the end of a hold."""
        (self.directory / "index.txt").write_text("")

    def list(self, *, number=None, extensions=(KEY_ID,), digest="sha256", days=(0, 30),
             form="PEM"):
        """The present list, as PEM text or DER bytes. days: of thisUpdate (0: now) and
        nextUpdate."""
        self._configure(extensions, number)
        dates = ["-crl_nextupdate", in_days(days[1])]
        if days[0] != 0:
            dates += ["-crl_lastupdate", in_days(days[0])]
        self._openssl("ca", "-config", "openssl.cnf", "-gencrl", "-md", digest, *dates,
                      "-out", "list.pem")
        if form == "PEM":
            return (self.directory / "list.pem").read_text()
        self._openssl("crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der")
        return (self.directory / "list.der").read_bytes()
