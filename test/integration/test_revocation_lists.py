# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Importing revocation lists: the accepted ones, the errors of the others, in one piece and in
parts (contract, section 7, 1; RFC 5280 5)."""
import hashlib
import itertools

import pytest
from cryptography import x509

import openssl_ca
from admin import Admin, AwsError
from openssl_ca import KEY_ID, OpensslCa, scope
from policies import CONNECT, allow
from revocation import (delete_list, describe_list, import_in_parts, import_list, large_list,
                        parts_of, revocation_list, to_der)

REFUSED_LIST = "CertificateValidationException"
ABSENT = "0" * 64

_numbers = itertools.count(1)


@pytest.fixture
def broker(shared_broker):
    yield shared_broker
    shared_broker.leave_sessions()


@pytest.fixture
def ca(admin, pki):
    """A registered CA of its own."""
    made = pki.ca("lists %d" % next(_numbers))
    admin.register_ca(made)
    return made


@pytest.fixture
def authority(ca, directory):
    """The same, kept by openssl."""
    return OpensslCa(ca, directory)


def refusal(admin, command, **members):
    with pytest.raises(AwsError) as refused:
        admin.call(command, **members)
    return refused.value


def refusal_of(admin, ca, made):
    with pytest.raises(AwsError) as refused:
        import_list(admin, ca, made)
    assert refused.value.name == REFUSED_LIST
    return refused.value.message


def seconds(moment):
    return moment.replace(tzinfo=openssl_ca.datetime.timezone.utc).timestamp()


# -- what is taken ---------------------------------------------------------------------

@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_list_of_openssl_is_taken_and_described(admin, pki, ca, authority, form):
    """Lists of `openssl ca -gencrl` are accepted in PEM and in DER; the answer has the list's facts
    and the result, and describeCrl has the same afterwards."""
    listed, unknown, good = (pki.device(n, issuer=ca) for n in ("listed", "unknown", "good"))
    admin.activate(listed)
    admin.activate(good)
    authority.revoke(listed, "keyCompromise")
    authority.revoke(unknown)
    made = authority.list(number=300, form=form)

    answer = import_list(admin, ca, made)
    body = to_der(made) if form == "PEM" else made
    parsed = x509.load_der_x509_crl(body)
    assert answer["unchanged"] is False and answer["certificatesRevoked"] == 1
    described = answer["crl"]
    imported = described.pop("importDate")
    assert described == {
        "caCertificateId": ca.id, "crlNumber": "300", "stale": False, "entries": 2,
        "thisUpdate": seconds(parsed.last_update), "nextUpdate": seconds(parsed.next_update),
        "sha256": hashlib.sha256(body).hexdigest(), "applied": True}
    assert parsed.last_update.timestamp() <= imported
    assert describe_list(admin, ca) == {"crl": {**described, "importDate": imported},
                                        "crlCheck": "if-present"}
    assert (admin.status(listed), admin.status(good)) == ("REVOKED", "ACTIVE")


@pytest.mark.parametrize("how", [
    {"extensions": ()},
    {"extensions": (scope("user certificates"),)},
    {"extensions": ("1.2.3.4 = DER:0500", KEY_ID)},
    {"digest": "sha512"},
    {"number": (1 << 158) + 1},
], ids=["version 1", "of users", "with an unknown extension", "SHA-512", "of a long number"])
def test_other_complete_lists_are_taken(admin, ca, authority, how):
    """Version 1 without extensions, which openssl makes by default; a list for users' certificates;
    one with an unknown extension that is not critical; numbers of up to 20 bytes."""
    described = import_list(admin, ca, authority.list(**how))["crl"]
    assert described["entries"] == 0
    assert described.get("crlNumber") == (str(how["number"]) if "number" in how else None)


def test_ca_without_a_list_has_settings_to_describe(admin, ca):
    """describeCrl of a CA without a list has the settings."""
    assert describe_list(admin, ca) == {"crlCheck": "if-present"}
    admin.update_ca(ca, crlCheck="grace 7", crlFile="nowhere.crl")
    described = describe_list(admin, ca)
    assert (described["crlCheck"], described["crlFile"]) == ("grace 7", "nowhere.crl")


def test_same_list_again_is_unchanged(admin, pki, ca, authority):
    """Importing the list in force changes nothing and says so, in either form; importing a list
    that has been replaced is an error (RFC 5280 5.2.3)."""
    authority.revoke(admin.activate(pki.device("d1", issuer=ca)))
    made = authority.list(number=1)
    first = import_list(admin, ca, made)

    for again in (made, to_der(made)):
        answer = import_list(admin, ca, again)
        assert (answer["unchanged"], answer["certificatesRevoked"]) == (True, 0)
        assert answer["crl"] == first["crl"]
    import_list(admin, ca, authority.list(number=2))
    assert "older than the one in force" in refusal_of(admin, ca, made)


def test_text_around_a_list_in_pem_does_not_matter(admin, ca, authority):
    """As `openssl crl -text` writes it (RFC 7468)."""
    made = authority.list()
    text = "Certificate Revocation List (CRL):\n  ...\n" + made.replace("\n", "\r\n") + "\n"
    assert import_list(admin, ca, text)["crl"]["sha256"] == hashlib.sha256(
        to_der(made)).hexdigest()


def test_list_is_deleted(admin, ca, authority):
    """deleteCrl deletes it, once; then an older one may be imported."""
    import_list(admin, ca, authority.list(number=9))
    assert "older" in refusal_of(admin, ca, authority.list(number=8))
    assert delete_list(admin, ca) == {}
    described = describe_list(admin, ca)
    assert "crl" not in described
    assert refusal(admin, "deleteCrl", caCertificateId=ca.id).name == "ResourceNotFoundException"
    assert import_list(admin, ca, authority.list(number=8))["crl"]["crlNumber"] == "8"


# -- what is not -----------------------------------------------------------------------

def by_another_key(pki, ca, authority, directory):
    return revocation_list(ca, signer=pki.ca("stranger"), number=2)


def with_a_changed_byte(pki, ca, authority, directory):
    authority.revoke(pki.device("d1", issuer=ca))
    body = bytearray(authority.list(number=2, form="DER"))
    at = -1
    for _ in range(3):  # thisUpdate, nextUpdate, the date of the entry
        at = body.index(b"\x17\x0d", at + 1)
    body[at + 13] ^= 1  # seconds
    return bytes(body)


def of_another_issuer(pki, ca, authority, directory):
    return OpensslCa(pki.ca("somebody else"), directory).list(number=2)


def two_at_once(pki, ca, authority, directory):
    return authority.list(number=2) + authority.list(number=3)


def with_garbage_behind(pki, ca, authority, directory):
    return authority.list(number=2, form="DER") + b"\0\0"


def cut_short(pki, ca, authority, directory):
    return authority.list(number=2, form="DER")[:-1]


def pem_cut_short(pki, ca, authority, directory):
    return authority.list(number=2)[:-40]


def a_certificate(pki, ca, authority, directory):
    return ca.pem


def made_like(**how):
    return lambda pki, ca, authority, directory: authority.list(**{"number": 2, **how})


@pytest.mark.parametrize("make, says", [
    (by_another_key, "not signed with the key of this CA"),
    (with_a_changed_byte, "not signed with the key of this CA, or was changed"),
    (of_another_issuer, 'issued by "CN=somebody else,O=Example Corp", not by this CA'),
    (made_like(number=0), "its cRLNumber is 0x00, that one has 0x01"),
    (made_like(number=1, days=(0, 9)), "another list with the same number (cRLNumber 0x01)"),
    (made_like(number=None), "once a CA numbers its lists it has to go on"),
    (made_like(days=(-3, -1)), "the list was valid until"),
    (made_like(days=(1, 2)), "in the future; is the clock"),
    (made_like(extensions=(KEY_ID, openssl_ca.DELTA)), "a delta list"),
    (made_like(extensions=(scope("indirect"),)), "an indirect list"),
    (made_like(extensions=(scope("CA certificates"),)), "onlyContainsCACerts"),
    (made_like(extensions=(scope("some reasons"),)), "onlySomeReasons"),
    (made_like(extensions=("1.2.3.4 = critical, DER:0500",)),
     "an unrecognised critical extension: 1.2.3.4"),
    (made_like(digest="sha1"), "algorithm of the list is not accepted: ecdsa-with-SHA1"),
    (two_at_once, "more than one"),
    (with_garbage_behind, "2 bytes after the list"),
    (cut_short, "cut short"),
    (pem_cut_short, "-----END X509 CRL-----"),
    (a_certificate, "X509 CRL"),
    (lambda *made: "-----BEGIN nothing", "X509 CRL"),
], ids=["wrong signer", "changed byte", "other issuer", "old number", "same number", "no number",
        "expired", "future", "delta", "indirect", "of CAs", "some reasons", "critical extension",
        "SHA-1", "two lists", "garbage behind", "cut short", "PEM cut short", "certificate",
        "no PEM"])
def test_bad_list_does_not_replace_the_good_one(broker, admin, pki, ca, authority, directory, make, says):
    """A list that cannot be imported leaves the one in force, and its error has the reason; so do
    the log and describeCrl, until one is imported."""
    good = import_list(admin, ca, authority.list(number=1))["crl"]
    device = admin.activate(pki.device("victim", issuer=ca))
    session = broker.connect(device)

    message = refusal_of(admin, ca, make(pki, ca, authority, directory))
    assert says in message, message
    described = describe_list(admin, ca)
    assert described["crl"] == good
    assert described["lastFailure"]["details"] == message
    assert described["lastFailure"]["date"] >= good["importDate"]
    broker.wait_for_log("revocation list not imported", "ca=" + ca.id)
    assert session.received() == [] and admin.status(device) == "ACTIVE"

    import_list(admin, ca, authority.list(number=4))
    assert "lastFailure" not in describe_list(admin, ca)


def test_list_without_numbers_must_not_go_back_in_time(admin, ca, authority):
    """If a CA does not number its lists, thisUpdate decides which is later."""
    import_list(admin, ca, authority.list(days=(-1, 30)))
    assert "its thisUpdate is" in refusal_of(admin, ca, authority.list(days=(-2, 30)))
    import_list(admin, ca, authority.list())
    assert import_list(admin, ca, authority.list(number=1))["crl"]["crlNumber"] == "1"


def test_first_list_of_all_may_be_bad_too(admin, ca, authority):
    """Then there is none, and describeCrl has the reason."""
    message = refusal_of(admin, ca, authority.list(days=(-3, -1)))
    assert describe_list(admin, ca) == {
        "crlCheck": "if-present",
        "lastFailure": {"details": message,
                        "date": describe_list(admin, ca)["lastFailure"]["date"]}}


def test_what_is_no_list_at_all_is_refused(admin, ca):
    """Neither PEM nor base64; base64 of something else."""
    for text in ("garbage!", "AAAA====", "MIIB"):
        assert refusal(admin, "importCrl", caCertificateId=ca.id, crl=text).name == REFUSED_LIST


@pytest.mark.parametrize("command", ["importCrl", "describeCrl", "deleteCrl"])
def test_ca_that_is_not_registered_has_no_list(admin, command):
    """ResourceNotFoundException for every command."""
    members = {"crl": "MIIB"} if command == "importCrl" else {}
    refused = refusal(admin, command, caCertificateId=ABSENT, **members)
    assert refused.name == "ResourceNotFoundException"
    assert "CA certificate not found" in refused.message


def test_list_that_does_not_fit_into_a_request(admin, ca):
    """More than half a MiB has to be sent in parts, and the error for a larger request says so."""
    made = large_list(ca, 12000)
    whole = {**parts_of(ca, made, len(made))[0], "command": "importCrl"}
    answer = admin.request(whole)[0]
    assert answer["error"] == "InvalidRequestException" and "too large" in answer["message"]
    assert import_in_parts(admin, ca, made)["crl"]["entries"] == 12000


def test_cas_of_one_name_have_lists_of_their_own(broker, admin, pki, directory):
    """CAs are distinguished by their keys: a list is for the CA that signed it only, with or
    without a key identifier."""
    name = "twins %d" % next(_numbers)
    twins = [pki.ca(name) for _ in range(3)]
    for twin in twins:
        admin.register_ca(twin)
    devices = [admin.activate(pki.device("d%d" % n, issuer=t)) for n, t in enumerate(twins)]

    for twin, device in zip(twins[:2], devices):
        authority = OpensslCa(twin, directory)
        authority.revoke(device)
        for extensions, says in (((KEY_ID,), "authorityKeyIdentifier"), ((), "not signed")):
            for other in twins:
                if other is not twin:
                    assert says in refusal_of(admin, other,
                                              authority.list(extensions=extensions))
        assert import_list(admin, twin, authority.list())["certificatesRevoked"] == 1
    assert [admin.status(d) for d in devices] == ["REVOKED", "REVOKED", "ACTIVE"]
    # A serial number is revoked of one CA only.
    stranger = pki.device("d4", issuer=twins[2],
                          serial=x509.load_pem_x509_certificate(
                              devices[0].pem.encode()).serial_number)
    assert broker.connect(admin.activate(stranger)).accepted


# -- in parts --------------------------------------------------------------------------

@pytest.mark.parametrize("size", [100, 1000, 10 ** 6])
def test_list_in_parts(admin, pki, ca, size):
    """Parts of any size, each answered with its number, the last like a whole list."""
    device = admin.activate(pki.device("d1", issuer=ca))
    made = large_list(ca, 100, device)
    answer = import_in_parts(admin, ca, made, size)
    assert answer["crl"]["entries"] == 101 and answer["certificatesRevoked"] == 1
    assert answer["crl"]["sha256"] == hashlib.sha256(made).hexdigest()
    assert admin.status(device) == "REVOKED"


def wrong_order(parts):
    return [parts[1]], 0


def one_left_out(parts):
    return [parts[0], parts[2]], 1


def one_twice(parts):
    return [parts[0], parts[1], parts[1]], 2


def other_count(parts):
    return [parts[0], {**parts[1], "parts": 9}], 1


def other_ca(parts):
    return [parts[0], {**parts[1], "caCertificateId": ABSENT}], 1


@pytest.mark.parametrize("change", [wrong_order, one_left_out, one_twice, other_count, other_ca])
def test_parts_that_do_not_go_on(admin, ca, change):
    """Parts come in order, each once, all of one list; any other part ends the upload, and it may
    begin again."""
    made = large_list(ca, 100)
    parts = parts_of(ca, made, 1200)
    sent, bad = change(parts)
    for n, part in enumerate(sent):
        if n < bad:
            assert admin.call("importCrl", **part) == {"part": part["part"]}
            continue
        refused = refusal(admin, "importCrl", **part)
        assert refused.name == "InvalidRequestException"
        assert "begin again with part 1" in refused.message
    assert refusal(admin, "importCrl", **parts[-1]).name == "InvalidRequestException"
    assert "crl" not in describe_list(admin, ca)
    for part in parts:
        answer = admin.call("importCrl", **part)
    assert answer["crl"]["entries"] == 100


def test_part_one_begins_again(admin, ca):
    """A client that lost its place starts over under the same name."""
    parts = parts_of(ca, large_list(ca, 100), 1200)
    for part in (parts[0], parts[1], *parts):
        answer = admin.call("importCrl", **part)
    assert answer["crl"]["entries"] == 100


@pytest.mark.parametrize("members", [
    {"uploadId": "u"}, {"uploadId": "u", "part": 1}, {"part": 1, "parts": 1},
    {"uploadId": "u", "part": 2, "parts": 1}, {"uploadId": "u", "part": 0, "parts": 1},
    {"uploadId": "u", "part": 1, "parts": 1001}, {"uploadId": "u/1", "part": 1, "parts": 1},
    {"uploadId": "u" * 65, "part": 1, "parts": 1},
], ids=str)
def test_parts_are_named_as_they_should(admin, ca, members):
    """uploadId, part and parts go together, within their bounds."""
    refused = refusal(admin, "importCrl", caCertificateId=ca.id, crl="AAAA", **members)
    assert refused.name == "InvalidRequestException"


def test_parts_of_another_caller_are_not_mixed_in(broker, admin, ca):
    """An upload belongs to the client that began it, also where two have one name for it."""
    other = broker.admin()
    mine, theirs = large_list(ca, 100, number=1), large_list(ca, 200, number=2)
    first = parts_of(ca, mine, 2000, "same")
    second = parts_of(ca, theirs, 4000, "same")
    assert len(first) == len(second) == 2

    refused = refusal(other, "importCrl", **first[1])
    assert refused.name == "InvalidRequestException"
    admin.call("importCrl", **first[0])
    assert refusal(other, "importCrl", **first[1]).name == "InvalidRequestException"
    other.call("importCrl", **second[0])
    assert admin.call("importCrl", **first[1])["crl"]["entries"] == 100
    assert other.call("importCrl", **second[1])["crl"]["entries"] == 200


def test_too_many_uploads(start_broker, pki):
    """The number of uploads is limited; the caller of one too many gets an error and may try again
    when another has ended."""
    broker = start_broker()
    admin, ca = broker.admin(), pki.ca("lists")
    admin.register_ca(ca)
    made = large_list(ca, 100)
    uploads = [parts_of(ca, made, 2000) for _ in range(5)]
    for upload in uploads[:4]:
        admin.call("importCrl", **upload[0])
    refused = refusal(admin, "importCrl", **uploads[4][0])
    assert refused.name == "LimitExceededException" and "try again" in refused.message
    admin.call("importCrl", **uploads[0][1])
    admin.call("importCrl", **uploads[4][0])


def test_part_that_is_not_base64_is_refused(admin, ca):
    """Parts are DER in base64, of any content; the part may be sent again."""
    parts = parts_of(ca, large_list(ca, 100), 2000)
    admin.call("importCrl", **parts[0])
    refused = refusal(admin, "importCrl", **{**parts[1], "crl": "no base64!"})
    assert refused.name == REFUSED_LIST and "base64" in refused.message
    assert admin.call("importCrl", **parts[1])["crl"]["entries"] == 100


# -- rights ---------------------------------------------------------------------------

def test_certificate_may_import_where_its_policies_say_so(site, directory):
    """Lists are administered like other resources, by action and CA; a caller without the right
    gets an error and changes nothing."""
    other = site.pki.ca("other")
    site.admin.register_ca(other)
    program = Admin(site.broker, site.connect(
        allow("ImportCrl", "cacert/" + site.ca.id), name="importer"))
    for command, ca in (("importCrl", other), ("deleteCrl", site.ca), ("describeCrl", site.ca)):
        members = {"crl": revocation_list(ca)} if command == "importCrl" else {}
        refused = refusal(program, command, caCertificateId=ca.id, **members)
        assert refused.name == "AccessDeniedException"
        assert "iot:" + command[0].upper() + command[1:] in refused.message
    assert "crl" not in describe_list(site.admin, other)
    assert import_list(program, site.ca, revocation_list(site.ca))["crl"]["entries"] == 0


def test_parts_of_a_caller_without_rights_are_not_kept(site):
    """A caller without the right to import cannot fill the memory with parts either."""
    program = Admin(site.broker, site.connect(CONNECT, name="importer"))
    made = large_list(site.ca, 100)
    for _ in range(5):
        refused = refusal(program, "importCrl", **parts_of(site.ca, made, 2000)[0])
        assert refused.name == "AccessDeniedException"
    assert import_in_parts(site.admin, site.ca, made, 2000)["crl"]["entries"] == 100
