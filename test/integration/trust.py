# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The content of the listener's capath, and files that an operator adds by hand."""
import subprocess


def subject_hash(ca, directory):
    """The name by which OpenSSL finds this CA."""
    path = directory / ("subject-of-%s.pem" % ca.id)
    path.write_text(ca.pem)
    done = subprocess.run(["openssl", "x509", "-noout", "-hash", "-in", path], check=True,
                          capture_output=True, text=True)
    path.unlink()
    return done.stdout.strip()


def trust(broker, ca, number=0):
    """A file as made by an operator: OpenSSL reads <hash>.0, .1, ... of one subject."""
    path = broker.ca_path / ("%s.%d" % (subject_hash(ca, broker.directory), number))
    assert not path.exists()
    path.write_text(ca.pem)
    path.chmod(0o644)
    return path


def trusted(broker, ca):
    """The files of this CA in the capath, by name."""
    body = ca.pem.split("\n", 1)[1]
    return sorted(p.name for p in broker.ca_path.glob("*.[0-9]*") if body in p.read_text())
