# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Files of revocation lists are below the directory of the option crl_dir: crlFile discloses
nothing of any other file of the broker's machine, and nothing of these to a caller with rights from
a policy (doc/security.md)."""
import os

import pytest

from admin import AwsError
from policies import allow
from revocation import revocation_list
from test_policy_administration import error_of, operator
from wait import until

RIGHTS = (allow(["UpdateCACertificate", "ImportCrl", "DescribeCrl"], "cacert/*"),)


@pytest.fixture
def lists(directory):
    path = directory / "lists"
    path.mkdir()
    path.chmod(0o755)
    return path


@pytest.fixture
def site(make_site, lists):
    return make_site({"crl_dir": lists})


def list_number(site):
    found = site.admin.call("describeCrl", caCertificateId=site.ca.id).get("crl")
    return found and found.get("crlNumber")


def failure_of(admin, site):
    return admin.call("describeCrl", caCertificateId=site.ca.id).get("lastFailure", {}).get("details")


@pytest.mark.parametrize("way", ["name", "path", "below"])
def test_file_in_the_directory_is_read(site, lists, way):
    """By its name, or by its path."""
    path = lists / "ca.crl"
    if way == "below":
        (lists / "in").mkdir()
        path = lists / "in" / "ca.crl"
    path.write_text(revocation_list(site.ca, number=7))
    path.chmod(0o644)
    site.admin.update_ca(site.ca, crlFile={"name": "ca.crl", "path": str(path),
                                           "below": "in/ca.crl"}[way])
    until(lambda: list_number(site) == "7", "the list")


OUTSIDE = ["/etc/passwd", "/nowhere/at/all", "/", "/dev/null", "/etc", "../secret", "..",
           "in/../../secret", "%s/../secret", "%s", "%s/", "%sx/ca.crl", "./ca.crl"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_file_elsewhere_is_refused_whatever_is_there(site, lists, directory, path):
    """The same text whether the file exists or not, for an administrator too; nothing is
    changed."""
    (directory / "secret").write_text("secret")
    path = path.replace("%s", str(lists))
    program = operator(site, *RIGHTS)
    answers = set()
    for admin in (site.admin, program):
        with pytest.raises(AwsError) as refused:
            admin.call("updateCACertificate", certificateId=site.ca.id, crlFile=path)
        answers.add((refused.value.name, refused.value.message))
    (name, message), = answers
    assert name == "InvalidRequestException"
    assert message == ("crlFile must be a file in the directory that the broker's option crl_dir "
                       "names: a name below it, or a path that begins with it, without . and ..")
    assert "crlFile" not in site.admin.call("describeCrl", caCertificateId=site.ca.id)


def test_caller_with_a_policy_learns_nothing_about_files(site, lists):
    """Missing, no list, a directory, a pipe, a link to another place: an administrator gets the
    reason, a caller with rights from a policy gets the same text each time."""
    (lists / "text").write_text("no list")
    (lists / "directory").mkdir()
    os.mkfifo(lists / "pipe")
    (lists / "passwd").symlink_to("/etc/passwd")
    (lists / "nowhere").symlink_to("/nowhere")
    program = operator(site, *RIGHTS)
    told = {}
    for name in ("missing", "text", "directory", "pipe", "passwd", "nowhere"):
        before = failure_of(site.admin, site)
        assert error_of(program, "updateCACertificate", certificateId=site.ca.id,
                        crlFile=name) is None
        until(lambda b=before: failure_of(site.admin, site) not in (None, b), "a failure")
        told[name] = failure_of(site.admin, site)
        assert failure_of(program, site) == ("the list could not be taken from its file: "
                                             "the broker's log says why")
    assert len(set(told.values())) == len(told)
    assert "Permission denied" in told["passwd"]


def test_path_set_before_the_option_is_still_read(make_site, lists, directory):
    """As version 0.1 stored it, or the option was another: the list is not lost with the
    upgrade; a WARNING names it at start."""
    site = make_site({"crl_dir": directory})
    path = directory / "ca.crl"
    path.write_text(revocation_list(site.ca, number=1))
    path.chmod(0o644)
    site.admin.update_ca(site.ca, crlFile=str(path))
    until(lambda: list_number(site) == "1", "the list")
    site.broker.options["crl_dir"] = lists
    site.restart()
    site.broker.wait_for_log("is still read outside crl_dir", site.ca.id, str(path))
    path.write_text(revocation_list(site.ca, number=2))
    until(lambda: list_number(site) == "2", "the next list")


def test_directory_is_an_absolute_path(refuses_to_start):
    """Otherwise the broker stops with one line."""
    log = refuses_to_start(plugin={"crl_dir": "lists"})
    assert "option crl_dir" in str(log) and "an absolute path" in str(log)
