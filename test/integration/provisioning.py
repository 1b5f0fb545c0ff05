# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Provisioning templates as documents."""
import json

ROLE = "arn:aws:iam::123456789012:role/provisioning"


def parameter(name):
    return {"Ref": "AWS::IoT::Certificate::" + name}


def template(*, parameters=(), status="ACTIVE", thing=None, override=None, policies=()):
    """A template that activates the certificate, with properties of a thing and the handling of an
    existing one, and with properties of policies. Parameters other than the id must be named, with
    a default or None."""
    names = {"Id": None, **dict(parameters)}
    resources = {"certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
        "CertificateId": parameter("Id"), "Status": status}}}
    if thing is not None:
        resources["thing"] = {"Type": "AWS::IoT::Thing", "Properties": thing}
    if override is not None:
        resources["thing"]["OverrideSettings"] = override
    for number, properties in enumerate(policies):
        resources["policy%d" % number] = {"Type": "AWS::IoT::Policy", "Properties": properties}
    return json.dumps({
        "Parameters": {"AWS::IoT::Certificate::" + name:
                       {"Type": "String", **({} if default is None else {"Default": default})}
                       for name, default in names.items()},
        "Resources": resources})
