# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The command line: AWS's lines with `aws iot` replaced, as `mosquitto_ctrl jitr` and as
`mosquitto_jitr`, with AWS's output and exit statuses (contract, section 4)."""
import json
import os
import pathlib
import socket
import subprocess

import pytest

import der
from admin import ADMIN, BYSTANDER, PASSWORD, AwsError
from broker import BUILD_DIR, environment, free_ports, program
from command_line import DONE, REFUSED, UNREACHABLE, USAGE, CommandLine
from provisioning import template
from revocation import revocation_list
from test_ca_registry import NOWHERE

COMMANDS = [
    "get-registration-code", "delete-registration-code", "register-ca-certificate",
    "describe-ca-certificate", "update-ca-certificate", "list-ca-certificates",
    "delete-ca-certificate", "register-certificate", "register-certificate-without-ca",
    "describe-certificate", "update-certificate", "list-certificates",
    "list-certificates-by-ca", "delete-certificate",
    "create-policy", "get-policy", "list-policies", "delete-policy", "create-policy-version",
    "get-policy-version", "list-policy-versions", "set-default-policy-version",
    "delete-policy-version", "attach-policy", "detach-policy", "list-attached-policies",
    "list-targets-for-policy", "attach-principal-policy", "detach-principal-policy",
    "list-principal-policies", "list-policy-principals", "create-thing", "describe-thing",
    "update-thing", "delete-thing", "list-things", "attach-thing-principal",
    "detach-thing-principal", "list-thing-principals", "list-principal-things",
    "test-authorization", "get-effective-policies", "explain", "describe-endpoint", "import-crl",
    "describe-crl", "delete-crl",
    "create-provisioning-template", "describe-provisioning-template",
    "update-provisioning-template", "list-provisioning-templates",
    "delete-provisioning-template",
]

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]})


# -- AWS's page on just-in-time registration ---------------------------------------

def test_the_steps_of_the_page_of_aws(cli, broker, admin, pki, directory):
    """Code, verification certificate, registration, auto-registration, first connection
    with `cat device ca`, activation: the commands of the page, flags and all (aws-iot 0.3)."""
    ca = pki.ca("factory")
    ca.files(directory)
    code = cli("get-registration-code").data["registrationCode"]
    (directory / "verification.pem").write_text(
        pki.verification_by_recipe(ca, code, directory))

    registered = cli("register-ca-certificate", "--allow-auto-registration",
                     "--ca-certificate", "file://ca.pem",
                     "--verification-cert", "file://verification.pem").data
    assert registered["certificateId"] == ca.id
    description = cli("describe-ca-certificate", "--certificate-id",
                      ca.id).data["certificateDescription"]
    assert (description["status"], description["autoRegistrationStatus"]) == (
        "INACTIVE", "ENABLE")  # the trap of the page's second command: aws-iot A.2.1
    assert cli("update-ca-certificate", "--certificate-id", ca.id, "--new-status",
               "ACTIVE").status == DONE

    events = admin.listen_to_events(ca)
    certificate, key = pki.device("d1", issuer=ca).with_chain(ca).files(directory)
    publish = [program("mosquitto_pub"), "-h", "localhost", "-p", str(broker.ports["tls"]),
               "--cafile", str(pki.server_ca), "--cert", str(certificate), "--key", str(key),
               "-t", "t/1", "-m", "hello", "-i", "d1", "-q", "1"]
    refused = subprocess.run(publish, capture_output=True, text=True, env=environment())
    assert refused.returncode == 5 and "not authorised" in refused.stderr
    event = events.next()
    cli("update-certificate", "--certificate-id", event["certificateId"], "--new-status",
        "ACTIVE")
    accepted = subprocess.run(publish, capture_output=True, text=True, env=environment())
    assert accepted.returncode == 0, accepted.stderr
    listed = cli("list-certificates-by-ca", "--ca-certificate-id", ca.id).data["certificates"]
    assert [c["certificateId"] for c in listed] == [event["certificateId"]]


def test_enabling_auto_registration_as_the_page_does(cli, admin, pki):
    """The page's first command (update-ca-certificate --new-auto-registration-status)."""
    ca = pki.ca("factory")
    admin.register_ca(ca, auto_registration=False)

    done = cli("update-ca-certificate", "--certificate-id", ca.id,
               "--new-auto-registration-status", "ENABLE")
    assert (done.status, done.out, done.err) == (DONE, "", "")
    assert admin.describe_ca(ca)["autoRegistrationStatus"] == "ENABLE"


def test_proof_of_possession_in_one_step(cli, admin, pki, directory):
    """--ca-key proves possession by itself; the key stays on this machine (contract,
    section 4)."""
    ca = pki.ca("factory")
    certificate, key = ca.files(directory)

    registered = cli("register-ca-certificate", "--ca-certificate", certificate, "--ca-key", key,
                     "--set-as-active", "--allow-auto-registration").data
    assert registered["certificateId"] == ca.id
    description = admin.describe_ca(ca)
    assert (description["status"], description["autoRegistrationStatus"]) == ("ACTIVE", "ENABLE")


def test_key_of_another_ca_proves_nothing(cli, admin, pki, directory):
    """Reported before anything is sent (contract, section 4)."""
    certificate, _ = pki.ca("factory").files(directory)
    other = directory / "other"
    other.mkdir()
    _, key = pki.ca("other").files(other)

    done = cli("register-ca-certificate", "--ca-certificate", certificate, "--ca-key", key)
    assert done.status == USAGE and "key" in done.err
    assert admin.ids("listCACertificates") == []


# -- every command ---------------------------------------------------------------

def test_life_of_a_certificate(cli, admin, pki, directory, factory):
    """Registered, described, updated, listed, deleted; a change has no output, as with AWS
    (contract, section 4)."""
    device = pki.device("d1", issuer=factory)
    certificate, _ = device.files(directory)
    made = cli("register-certificate", "--certificate-pem", "file://%s" % certificate,
               "--status", "ACTIVE").data
    assert made == {"certificateArn": "arn:aws:iot:local:000000000000:cert/" + device.id,
                    "certificateId": device.id}
    assert cli("describe-certificate", "--certificate-id", device.id).data == {
        "certificateDescription": admin.describe_certificate(device)}
    refused = cli("delete-certificate", "--certificate-id", device.id)
    assert refused.status == REFUSED
    assert ("An error occurred (CertificateStateException) when calling the DeleteCertificate "
            "operation: Certificate must be deactivated") in refused.err
    done = cli("update-certificate", "--certificate-id", device.id, "--new-status", "INACTIVE")
    assert (done.status, done.out, done.err) == (DONE, "", "")
    assert cli("delete-certificate", "--certificate-id", device.id,
               "--force-delete").status == DONE
    assert cli("list-certificates").data == {"certificates": []}


def test_the_other_commands(cli, admin, pki, directory, factory):
    """register-certificate-without-ca, list-ca-certificates, delete-ca-certificate,
    delete-registration-code (contract, section 4)."""
    loner = pki.device("loner", issuer=pki.ca("stranger"))
    certificate, _ = loner.files(directory)
    assert cli("register-certificate-without-ca", "--certificate-pem",
               certificate).data["certificateId"] == loner.id
    assert cli("list-ca-certificates").data["certificates"][0]["certificateId"] == factory.id
    assert cli("update-ca-certificate", "--certificate-id", factory.id, "--new-status",
               "INACTIVE").status == DONE
    assert cli("delete-ca-certificate", "--certificate-id", factory.id).status == DONE
    assert cli("list-ca-certificates").data == {"certificates": []}
    code = cli("get-registration-code").data["registrationCode"]
    assert cli("delete-registration-code").status == DONE
    assert cli("delete-registration-code").status == REFUSED
    assert cli("get-registration-code").data["registrationCode"] != code


def nothing(done):
    """The command succeeds without output."""
    return (done.status, done.out, done.err) == (DONE, "", "")


def test_life_of_a_policy(cli, admin, pki, directory, factory):
    """Made from a file, shown, versions added, chosen and deleted, attached, listed, detached,
    deleted (contract, section 4)."""
    device = pki.device("d1", issuer=factory)
    arn = admin.register_certificate(device)["certificateArn"]
    (directory / "p.json").write_text(POLICY + "\n")
    made = cli("create-policy", "--policy-name", "p", "--policy-document", "file://p.json",
               "--tags", "Key=a,Value=b").data
    assert made == {"policyName": "p", "policyArn": "arn:aws:iot:local:000000000000:policy/p",
                    "policyDocument": POLICY + "\n", "policyVersionId": "1"}
    assert cli("get-policy", "--policy-name", "p").data == admin.call("getPolicy", policyName="p")
    assert cli("create-policy", "--policy-name", "q", "--policy-document",
               "p.json").data["policyDocument"] == POLICY + "\n"
    assert cli("create-policy-version", "--policy-name", "p", "--policy-document", POLICY,
               "--set-as-default").data["policyVersionId"] == "2"
    assert cli("get-policy-version", "--policy-name", "p", "--policy-version-id",
               "2").data["isDefaultVersion"] is True
    assert nothing(cli("set-default-policy-version", "--policy-name", "p",
                       "--policy-version-id", "1"))
    assert nothing(cli("delete-policy-version", "--policy-name", "p", "--policy-version-id",
                       "2"))
    versions = cli("list-policy-versions", "--policy-name", "p", "--output", "text").out
    assert versions.split("\t")[0] == "POLICYVERSIONS" and versions.split()[2:] == ["True", "1"]

    for name in ("p", "q"):
        assert nothing(cli("attach-policy", "--policy-name", name, "--target", arn))
    listed = cli("list-attached-policies", "--target", arn).data
    assert [p["policyName"] for p in listed["policies"]] == ["p", "q"]
    page = cli("list-attached-policies", "--target", arn, "--page-size", "1").data
    assert [p["policyName"] for p in page["policies"]] == ["p"] and page["nextMarker"]
    assert cli("list-targets-for-policy", "--policy-name", "p").data == {"targets": [arn]}
    assert cli("list-targets-for-policy", "--policy-name", "p", "--output",
               "text").out == "TARGETS\t%s\n" % arn
    refused = cli("delete-policy", "--policy-name", "p")
    assert refused.status == REFUSED
    assert ("An error occurred (DeleteConflictException) when calling the DeletePolicy "
            "operation: ") in refused.err
    for name in ("p", "q"):
        assert nothing(cli("detach-policy", "--policy-name", name, "--target", device.id))
    assert nothing(cli("delete-policy", "--policy-name", "p"))
    assert [p["policyName"] for p in cli("list-policies").data["policies"]] == ["q"]
    assert "ListPolicies" in cli("list-policies", "--output", "table").out


def test_older_names_of_attaching(cli, admin, pki, factory):
    """attach-principal-policy and its relatives (contract, section 4)."""
    device = pki.device("d1", issuer=factory)
    arn = admin.register_certificate(device)["certificateArn"]
    admin.create_policy("p", POLICY)
    both = ["--policy-name", "p", "--principal", arn]
    assert nothing(cli("attach-principal-policy", *both))
    assert cli("list-principal-policies", "--principal",
               arn).data["policies"][0]["policyName"] == "p"
    assert cli("list-policy-principals", "--policy-name", "p").data == {"principals": [arn]}
    assert nothing(cli("detach-principal-policy", *both))


def test_malformed_policy(cli):
    """The error of the plugin has the reason (contract, section 4)."""
    done = cli("create-policy", "--policy-name", "p", "--policy-document", "{}")
    assert done.status == REFUSED
    assert "An error occurred (MalformedPolicyException) when calling the CreatePolicy" in done.err
    done = cli("create-policy", "--policy-name", "p", "--policy-document", "none.json")
    assert done.status == USAGE and "none.json" in done.err


def test_explain_and_test_authorization(cli, admin, pki, directory, factory):
    """testAuthorization, getEffectivePolicies and explain from the command line, with the AWS
    CLI's shorthand (aws-iot A.7)."""
    device = pki.device("d1", issuer=factory)
    (directory / "d1.pem").write_text(device.pem)
    admin.register_certificate(device, status="ACTIVE")
    admin.create_policy("p", POLICY)
    admin.call("attachPolicy", policyName="p", target=device.id)
    prefix = "arn:aws:iot:local:000000000000:"
    result, = cli("test-authorization", "--principal", device.id, "--client-id", "d1",
                  "--auth-infos", "actionType=CONNECT,resources=%sclient/d1" % prefix
                  ).data["authResults"]
    assert result["authInfo"] == {"actionType": "CONNECT", "resources": [prefix + "client/d1"]}
    assert result["authDecision"] == "ALLOWED"
    effective, = cli("get-effective-policies", "--principal", device.id).data["effectivePolicies"]
    assert (effective["policyName"], effective["policyDocument"]) == ("p", POLICY)
    by_id = cli("explain", "--certificate-id", device.id, "--client-id", "d1", "--topic", "t",
                "--source-ip", "192.0.2.1").data
    by_pem = cli("explain", "--certificate-pem", "d1.pem", "--client-id", "d1", "--topic", "t",
                 "--source-ip", "192.0.2.1").data
    assert by_id == by_pem and by_id["certificateId"] == device.id
    assert {"connect", "publish", "retainPublish", "subscribe", "receive"} <= set(by_id)
    refused = cli("explain", "--certificate-id", "0" * 64)
    assert refused.status == REFUSED and "ResourceNotFoundException" in refused.err


def test_life_of_a_thing(cli, admin, pki, factory):
    """Made, described, changed, attached, listed, detached, deleted (contract, section 4)."""
    arn = admin.register_certificate(pki.device("d1", issuer=factory))["certificateArn"]
    made = cli("create-thing", "--thing-name", "t", "--thing-type-name", "x",
               "--attribute-payload", "attributes={a=1,b=2},merge=true").data
    assert made["thingArn"] == "arn:aws:iot:local:000000000000:thing/t"
    assert nothing(cli("update-thing", "--thing-name", "t", "--expected-version", "1",
                       "--attribute-payload", '{"attributes":{"c":"3"},"merge":true}'))
    assert nothing(cli("update-thing", "--thing-name", "t", "--remove-thing-type"))
    shown = cli("describe-thing", "--thing-name", "t").data
    assert (shown["attributes"], shown["version"]) == ({"a": "1", "b": "2", "c": "3"}, 3)
    assert "DescribeThing" in cli("describe-thing", "--thing-name", "t", "--output", "table").out

    both = ["--thing-name", "t", "--principal", arn]
    assert nothing(cli("attach-thing-principal", *both, "--thing-principal-type",
                       "EXCLUSIVE_THING"))
    assert cli("list-thing-principals", "--thing-name", "t").data == {"principals": [arn]}
    assert cli("list-principal-things", "--principal", arn).data == {"things": ["t"]}
    refused = cli("update-thing", "--thing-name", "t", "--expected-version", "1")
    assert refused.status == REFUSED and "(VersionConflictException)" in refused.err
    assert nothing(cli("detach-thing-principal", *both))
    assert nothing(cli("delete-thing", "--thing-name", "t", "--expected-version", "3"))


def test_lists_of_things_fetch_all_pages(cli, admin):
    """As the AWS CLI: all pages, unless --max-items, --max-results, --next-token or --no-paginate
    is given (contract, section 4)."""
    for n in range(7):
        admin.create_thing("t%d" % n, thingTypeName="even" if n % 2 == 0 else "odd")

    def names(*words):
        data = cli("list-things", *words).data
        return "".join(t["thingName"][1] for t in data["things"]), data

    assert names("--page-size", "2")[0] == "0123456"
    assert names("--thing-type-name", "odd", "--page-size", "2")[0] == "135"
    first, data = names("--max-items", "3")
    assert first == "012" and names("--starting-token", data["NextToken"])[0] == "3456"
    page, data = names("--max-results", "4")
    assert page == "0123" and names("--next-token", data["nextToken"])[0] == "456"
    assert names("--no-paginate", "--page-size", "5")[0] == "01234"


@pytest.mark.parametrize("words, message", [
    (["list-things", "--max-items", "abc"], "argument --max-items: invalid int value: 'abc'"),
    (["list-policies", "--page-size", "1.5"], "argument --page-size: invalid int value: '1.5'"),
    (["list-things", "--max-results", ""], "argument --max-results: invalid int value: ''"),
    (["delete-thing", "--thing-name", "t", "--expected-version", "x"],
     "argument --expected-version: invalid int value: 'x'"),
    (["list-policies", "--page-size", "2", "--max-items", "3"],
     "Cannot specify --no-paginate along with pagination arguments: --max-items"),
], ids=lambda value: "" if isinstance(value, str) else " ".join(value))
def test_invalid_numbers(cli, words, message):
    """Status 252 and the AWS CLI's words, whichever flag it is (contract, section 4)."""
    done = cli(*words)
    assert (done.status, done.out) == (USAGE, "") and message in done.err


def test_endpoint(cli, start_broker):
    """describe-endpoint answers with endpoint_address, and without it with the machine's name
    (aws-iot A.8)."""
    assert cli("describe-endpoint").data == {"endpointAddress": socket.gethostname()}
    cli.broker = start_broker(plugin={"endpoint_address": "mqtt.example.com"})
    expected = {"endpointAddress": "mqtt.example.com"}
    assert cli("describe-endpoint", "--endpoint-type", "iot:Data-ATS").data == expected
    assert cli("describe-endpoint", "--endpoint-type", "iot:Data").data == expected
    assert cli("describe-endpoint", "--output", "text").out == "mqtt.example.com\n"
    refused = cli("describe-endpoint", "--endpoint-type", "iot:CredentialProvider")
    assert refused.status == REFUSED and "(InvalidRequestException)" in refused.err


def test_command_of_aws_that_does_not_exist_here(cli, admin):
    """One sentence says so and names the commands to use, on the command line and on the control
    topic."""
    done = cli("create-thing-group", "--thing-group-name", "g")
    assert (done.status, done.out) == (USAGE, "")
    assert ("'create-thing-group' of aws iot is not supported here: there are no thing groups; "
            "policies are attached to certificates; see attach-policy and update-thing") in done.err
    with pytest.raises(AwsError) as refusal:
        admin.call("createThingGroup", thingGroupName="g")
    assert refusal.value.name == "InvalidRequestException"
    assert "see attachPolicy and updateThing" in str(refusal.value)


def test_conflict_texts_name_the_arn(cli, admin, pki, factory):
    """DeleteConflictException in AWS's words, with the ARN (aws-iot A.3.9)."""
    device = admin.activate(pki.device("d1", issuer=factory))
    admin.update_certificate(device, "INACTIVE")
    arn = "arn:aws:iot:local:000000000000:cert/" + device.id
    admin.create_policy("p", POLICY)
    admin.attach_policy("p", device)
    admin.create_thing("t")
    admin.attach_thing("t", device)
    for what in ("Things", "Certificate policies"):
        done = cli("delete-certificate", "--certificate-id", device.id)
        assert done.status == REFUSED
        assert done.err.strip() == (
            "An error occurred (DeleteConflictException) when calling the DeleteCertificate "
            "operation: %s must be detached before deletion (arn: %s)" % (what, arn))
        admin.call("detachThingPrincipal", thingName="t", principal=arn)


def test_mistakes_in_json_have_a_place(cli, directory):
    """Line and column, of documents that the plugin reads and of those that the command line
    reads; MalformedPolicyException as AWS has it (aws-iot A.4.1)."""
    path = directory / "policy.json"
    path.write_text('{\n  "Version": "2012-10-17",\n  "Statement": {"Effect" "Allow"}\n}\n')
    done = cli("create-policy", "--policy-name", "p", "--policy-document", "file://%s" % path)
    assert done.status == REFUSED and "(MalformedPolicyException)" in done.err
    assert "it is not JSON (line 3, column 26)" in done.err
    done = cli("create-provisioning-template", "--template-name", "t", "--template-body",
               "file://%s" % path, "--provisioning-role-arn", "arn:aws:iam::123456789012:role/r")
    assert done.status == REFUSED and "it is not JSON (line 3, column 26)" in done.err
    done = cli("create-thing", "--thing-name", "t", "--attribute-payload", "file://%s" % path)
    assert done.status == USAGE and "(line 3, column 26)" in done.err


def test_certificate_that_never_expires(cli, pki, factory, admin):
    """99991231235959Z is "no well-defined expiration date" (RFC 5280 4.1.2.5): a number in JSON, a
    time in text and table."""
    device = pki.device("d1", issuer=factory, days=(-1, der.NEVER))
    admin.register_certificate(device)
    words = ("describe-certificate", "--certificate-id", device.id, "--output")
    assert cli(*words, "json").data["certificateDescription"]["validity"]["notAfter"] == 253402300799
    for output in ("text", "table"):
        assert "9999-12-31T23:59:59+00:00" in cli(*words, output).out


def test_direction_of_text_is_not_changed(cli, admin):
    """Text in an answer neither controls a terminal nor is shown in another order: in JSON the
    escapes stand for the same characters (CVE-2021-42574)."""
    nasty = "a\u009b2J\u202egnp.\u2066\u200f\u061c\u2028b"
    admin.call("createProvisioningTemplate", templateName="t", templateBody=template(),
               description=nasty)
    for output in ("json", "text", "table"):
        done = cli("describe-provisioning-template", "--template-name", "t", "--output", output)
        assert not set(nasty) - set("a2Jgnp.b") & set(done.out), output
        if output == "json":
            assert done.data["description"] == nasty
        else:
            assert "a\\x9b2J\\u202egnp." in done.out

def test_certificate_as_literal_text(cli, pki, factory):
    """A PEM may be given as it is, as a path, or as file:// (contract, section 4)."""
    device = pki.device("d1", issuer=factory)
    assert cli("register-certificate", "--certificate-pem",
               device.pem).data["certificateId"] == device.id


def test_registration_config(cli, admin, pki, directory):
    """In AWS's shorthand and as JSON, literal or from a file (contract, section 4)."""
    ca = pki.ca("factory")
    certificate, key = ca.files(directory)
    config = {"templateBody": template(), "roleArn": "arn:aws:iam::123456789012:role/JITPRole"}
    other = template(status="INACTIVE")
    path = directory / "config.json"
    path.write_text(json.dumps(config))
    assert cli("register-ca-certificate", "--ca-certificate", certificate, "--ca-key", key,
               "--registration-config", json.dumps(config)).status == DONE

    for text, expected in (("templateBody='%s'" % other, {"templateBody": other}),
                           ("file://%s" % path, config)):
        assert cli("update-ca-certificate", "--certificate-id", ca.id, "--registration-config",
                   text).status == DONE
        assert cli("describe-ca-certificate", "--certificate-id",
                   ca.id).data["registrationConfig"] == expected
    assert cli("update-ca-certificate", "--certificate-id", ca.id,
               "--remove-auto-registration").status == DONE
    assert "registrationConfig" not in cli("describe-ca-certificate", "--certificate-id",
                                           ca.id).data


def test_lists_fetch_all_pages(cli, admin, pki, factory):
    """As the AWS CLI: all pages, unless --max-items is given, or --page-size, --no-paginate or
    --marker, which ask for one page (contract, section 4; awscli's paginate.py)."""
    devices = [pki.device("d%d" % n, issuer=factory) for n in range(30)]
    admin.register_certificates(devices)

    def ids(*words):
        data = cli("list-certificates", "--ascending-order", *words).data
        return [c["certificateId"] for c in data["certificates"]], data

    everything, data = ids()
    assert sorted(everything) == sorted(d.id for d in devices)
    assert "nextMarker" not in data and "NextToken" not in data
    first, data = ids("--max-items", "12")
    rest, _ = ids("--starting-token", data["NextToken"])
    assert (len(first), first + rest) == (12, everything)
    page, data = ids("--page-size", "7")
    assert page == everything[:7] and data["nextMarker"] and "NextToken" not in data
    page, data = ids("--no-paginate", "--page-size", "10")
    assert page == everything[:10]
    page, _ = ids("--marker", data["nextMarker"], "--page-size", "10")
    assert page == everything[10:20]


# -- activation ------------------------------------------------------------------

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def test_rule_of_a_ca(cli, pki, directory):
    """Given when the CA is registered, shown, replaced, removed; a check of two words needs no
    quotes."""
    ca = pki.ca("factory")
    certificate, key = ca.files(directory)
    rule = EXAMPLES / "rule.json"
    assert cli("register-ca-certificate", "--ca-certificate", certificate, "--ca-key", key,
               "--activation", "file://%s" % rule, "--crl-check", "grace", "7", "--crl-file",
               directory / "ca.crl").status == DONE

    def shown():
        data = cli("describe-ca-certificate", "--certificate-id", ca.id).data
        return tuple(data.get(name) for name in ("activation", "crlCheck", "crlFile"))

    assert shown() == (rule.read_text(), "grace 7", str(directory / "ca.crl"))
    update = ["update-ca-certificate", "--certificate-id", ca.id]
    assert nothing(cli(*update, "--activation", "rule", "--crl-check", "required"))
    assert shown() == ("{}", "required", str(directory / "ca.crl"))
    assert nothing(cli(*update, "--activation", "none", "--crl-check", "if-present",
                       "--crl-file", ""))
    assert shown() == (None, "if-present", None)
    refused = cli(*update, "--activation", '{"polices":[]}')
    assert refused.status == REFUSED and "polices" in refused.err
    assert cli(*update, "--crl-file", "./ca.crl").status == USAGE


@pytest.mark.parametrize("size", [0, 12000], ids=["in-one-request", "in-parts"])
def test_life_of_a_revocation_list(cli, admin, pki, directory, factory, size):
    """A list of any size is imported, described, imported again without a change, and deleted; the
    certificates on it are revoked."""
    device = admin.activate(pki.device("d1", issuer=factory))
    path = directory / "ca.crl"
    path.write_text(revocation_list(factory, device, serials=range(1 << 120, (1 << 120) + size)))
    which = ["--ca-certificate-id", factory.id]
    assert cli("describe-crl", *which).data == {"crlCheck": "if-present"}
    done = cli("import-crl", *which, "--crl", "file://ca.crl").data
    assert (done["unchanged"], done["certificatesRevoked"]) == (False, 1)
    assert cli("describe-crl", *which).data["crl"] == done["crl"]
    assert admin.status(device) == "REVOKED"
    again = cli("import-crl", *which, "--crl", path.read_text() if size == 0 else path).data
    assert (again["unchanged"], again["crl"]) == (True, done["crl"])
    assert "DescribeCrl" in cli("describe-crl", *which, "--output", "table").out
    assert nothing(cli("delete-crl", *which))
    assert cli("delete-crl", *which).status == REFUSED


def test_list_of_another_ca(cli, pki, directory, factory):
    """The error of the plugin has the reason."""
    (directory / "ca.crl").write_text(revocation_list(pki.ca("other")))
    refused = cli("import-crl", "--ca-certificate-id", factory.id, "--crl", "ca.crl")
    assert refused.status == REFUSED
    assert "(CertificateValidationException) when calling the ImportCrl operation" in refused.err


def test_life_of_a_template(cli, admin, pki, directory):
    """Made, named by a CA, shown, changed, listed, deleted: the lines of AWS's documentation."""
    ca = pki.ca("factory")
    certificate, key = ca.files(directory)
    role = "arn:aws:iam::123456789012:role/jitp"
    made = cli("create-provisioning-template", "--template-name", "site", "--template-body",
               "file://%s" % (EXAMPLES / "template.json"), "--provisioning-role-arn", role,
               "--type", "JITP", "--enabled", "--description", "all of them").data
    assert made["templateName"] == "site"
    assert cli("register-ca-certificate", "--ca-certificate", certificate, "--ca-key", key,
               "--registration-config", "templateName=site").status == DONE
    assert cli("describe-ca-certificate", "--certificate-id",
               ca.id).data["registrationConfig"] == {"templateName": "site"}
    assert nothing(cli("update-provisioning-template", "--template-name", "site", "--no-enabled",
                       "--description", "none"))
    shown = cli("describe-provisioning-template", "--template-name", "site").data
    assert (shown["type"], shown["enabled"], shown["description"]) == ("JITP", False, "none")
    assert (shown["templateBody"], shown["provisioningRoleArn"]) == (
        (EXAMPLES / "template.json").read_text(), role)
    listed = cli("list-provisioning-templates", "--page-size", "1").data["templates"]
    assert [t["templateName"] for t in listed] == ["site"]
    assert nothing(cli("update-ca-certificate", "--certificate-id", ca.id,
                       "--remove-auto-registration"))
    assert nothing(cli("delete-provisioning-template", "--template-name", "site"))
    assert cli("list-provisioning-templates").data == {"templates": []}


def test_lists_by_status(cli, broker, admin, pki, factory):
    """Of all certificates and of those of a CA."""
    active, pending = (pki.device(name, issuer=factory) for name in ("active", "pending"))
    admin.activate(active)
    broker.connect(pending)
    admin.settle()

    def ids(command, status, *words):
        listed = cli(command, "--status", status, *words).data["certificates"]
        return [c["certificateId"] for c in listed]

    for command, words in (("list-certificates", []),
                           ("list-certificates-by-ca", ["--ca-certificate-id", factory.id])):
        assert ids(command, "PENDING_ACTIVATION", *words) == [pending.id]
        assert ids(command, "ACTIVE", *words) == [active.id]
        assert ids(command, "REVOKED", *words) == []


# -- what comes out --------------------------------------------------------------

def test_output_text(cli, factory):
    """Fields between tabs, sorted by name, records after their name (contract, section 4)."""
    code = cli("get-registration-code").data["registrationCode"]
    assert cli("get-registration-code", "--output", "text").out == code + "\n"
    line = cli("list-ca-certificates", "--output", "text").out.rstrip("\n").split("\t")
    assert line[0] == "CERTIFICATES"
    assert line[1] == "arn:aws:iot:local:000000000000:cacert/" + factory.id
    assert line[2] == factory.id and line[4] == "ACTIVE"


def test_output_table(cli, factory):
    """Drawn with lines, titled with the operation (contract, section 4)."""
    table = cli("list-ca-certificates", "--output", "table").out
    assert "ListCACertificates" in table and factory.id in table and "ACTIVE" in table
    assert all(line[0] in "|+-" for line in table.splitlines() if line)


def test_output_of_another_kind(cli):
    """Usage (contract, section 4)."""
    done = cli("get-registration-code", "--output", "xml")
    assert done.status == USAGE and "xml" in done.err and done.out == ""


def test_errors_go_to_standard_error(cli):
    """As the AWS CLI prints them, with status 254 (contract, section 4)."""
    done = cli("describe-certificate", "--certificate-id", NOWHERE)
    assert done.status == REFUSED and done.out == ""
    assert done.err.strip() == (
        "An error occurred (ResourceNotFoundException) when calling the DescribeCertificate "
        "operation: Certificate not found (id: %s)" % NOWHERE)
    assert cli("describe-certificate", "--certificate-id", "x").status in (USAGE, REFUSED)


# -- what goes wrong -------------------------------------------------------------

@pytest.mark.parametrize("words", [
    [], ["no-such-command"], ["describe-certificate"], ["get-registration-code", "--bogus"],
    ["describe-certificate", "--certificate-id"], ["get-registration-code", "more"],
    ["register-ca-certificate", "--ca-certificate", "file://no-such-file"],
    ["list-certificates", "--page-size", "many"], ["help", "no-such-command"],
], ids=" ".join)
def test_usage(cli, words):
    """Status 252 and a text on standard error, nothing on standard output (contract, section 4)."""
    if cli.kind == "module" and not words:
        pytest.skip("mosquitto_ctrl answers this by itself (mosquitto section 10)")
    done = cli(*words)
    assert done.status == USAGE, done
    assert done.err and done.out == ""


def test_misspelt_command_is_guessed(cli):
    """The error for a misspelt command suggests the one that was probably meant."""
    assert "get-registration-code" in cli("get-registation-code").err


def test_broker_that_is_not_there(cli):
    """Status 253 (contract, section 4)."""
    done = cli.run(["-h", "127.0.0.1", "-p", str(free_ports(1)[0]), "-u", ADMIN, "-P", PASSWORD],
                   "get-registration-code")
    assert done.status == UNREACHABLE and done.err and done.out == ""


def test_wrong_password(cli):
    """Status 253 (contract, section 4)."""
    done = cli.run(cli.login(ADMIN, "wrong"), "get-registration-code")
    assert done.status == UNREACHABLE and done.err and done.out == ""


LARGE = '{"Version":"2012-10-17","Statement":[%s]}' % ",".join(
    ['{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}'] * 100)


def test_request_larger_than_the_broker_takes(cli, start_broker):
    """message_size_limit drops a request silently (MQTT 3.1.1): the command sends a short request
    to distinguish this from a broker without the plugin."""
    cli.broker = start_broker(config=["message_size_limit 1000"])
    done = cli("create-policy", "--policy-name", "p", "--policy-document", LARGE)
    assert done.status == UNREACHABLE and done.out == ""
    assert "message_size_limit" in done.err and "bytes" in done.err
    assert "is mosquitto_jitr loaded" not in done.err
    assert not cli.broker.log_lines("request")


def test_request_larger_than_a_packet_may_be(cli, start_broker):
    """max_packet_size closes the connection; the error says so, with the size."""
    cli.broker = start_broker(config=["max_packet_size 2000"])
    done = cli("create-policy", "--policy-name", "p", "--policy-document", LARGE)
    assert done.status == UNREACHABLE and "max_packet_size" in done.err


def test_broker_without_the_plugin(cli, start_broker):
    """No answer comes to a request of any size: the error says so and does not blame the size."""
    broker = cli.broker = start_broker()
    broker.stop()
    broker.plugin_lines = 0
    broker.start()
    done = cli("get-registration-code")
    assert done.status == UNREACHABLE and "is mosquitto_jitr loaded" in done.err
    assert "message_size_limit" not in done.err


def test_user_without_administration_rights(cli, start_broker, directory):
    """Status 254: the broker was reached, the request was refused (contract, section 4)."""
    cli.broker = start_broker(plugin={"other_clients": "allow"})
    done = cli.run(cli.login(BYSTANDER, PASSWORD), "get-registration-code")
    assert done.status == REFUSED
    assert "An error occurred (AccessDeniedException) when calling the GetRegistrationCode" in (
        done.err)


def test_device_certificate_as_administrator(cli, start_broker, pki, directory):
    """An administrator may also log in with a certificate: mosquitto_ctrl's own options
    (contract, sections 4 and 5)."""
    ca = pki.ca("factory")
    operator = pki.device("operator", issuer=ca)
    cli.broker = broker = start_broker(plugin={"admin_certificates": operator.id})
    admin = broker.admin()
    admin.register_ca(ca)
    admin.activate(operator)
    certificate, key = operator.files(directory)

    done = cli.run(["-h", "localhost", "-p", str(broker.ports["tls"]), "--cafile", pki.server_ca,
                    "--cert", str(certificate), "--key", str(key)], "list-ca-certificates")
    assert done.data["certificates"][0]["certificateId"] == ca.id


def test_options_file(cli, broker, directory):
    """Connection options from ~/.config/mosquitto_ctrl, as mosquitto_ctrl has them
    (contract, section 4)."""
    (directory / ".config").mkdir()
    (directory / ".config" / "mosquitto_ctrl").write_text(
        "-h 127.0.0.1\n-p %d\n-u %s\n" % (broker.ports["plain"], ADMIN))
    (directory / ".config" / "mosquitto_ctrl").chmod(0o600)
    done = cli.run(["-P", PASSWORD], "get-registration-code")
    assert len(done.data["registrationCode"]) == 64


def test_protocol_versions(cli):
    """Over MQTT 3.1.1 and 5 alike (contract, section 4)."""
    for version in ("mqttv311", "mqttv5"):
        done = cli.run([*cli.login(ADMIN, PASSWORD), "-V", version], "get-registration-code")
        assert len(done.data["registrationCode"]) == 64


def test_help(cli):
    """help, help COMMAND and COMMAND help list commands and flags (contract, section 4)."""
    overview = cli("help")
    assert overview.status == DONE
    for command in COMMANDS:
        assert command in overview.out
        by_name = cli("help", command)
        assert by_name.status == DONE and command in by_name.out
        assert cli(command, "--help").out == by_name.out
    assert cli("update-certificate", "help").out == cli("help", "update-certificate").out
    assert "--certificate-id" in cli("help", "update-certificate").out


def test_help_needs_no_broker(cli):
    """Nor does an error that is found before a connection."""
    nowhere = ["-h", "127.0.0.1", "-p", str(free_ports(1)[0])]
    assert cli.run(nowhere, "help").status == DONE
    assert cli.run(nowhere, "describe-certificate").status == USAGE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written(broker, directory):
    """A full disk behind standard output is no success."""
    line = CommandLine(broker, "program", directory)
    words = [str(BUILD_DIR / "mosquitto_jitr"), *line.login(ADMIN, PASSWORD),
             "get-registration-code"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env=environment())
    assert done.returncode not in (DONE, USAGE, UNREACHABLE, REFUSED) and done.stderr
