#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A rule as a program: attaches a policy to certificates and activates them when they
register, unless they are on their CA's revocation list.

    activate.py -u admin -P secret --ca ca.pem --crl ca.crl --policy device

It subscribes to registrations ($aws/events/certificates/registered/<caCertificateId>).  When it
starts, and when it reconnects, it lists all certificates that are PENDING_ACTIVATION, so that it
finds those that registered while it, or the broker, was not running.  For each certificate:

  * it is no longer pending: nothing is done (events are delivered at least once, so they may
    repeat);
  * it is on the list: it becomes REVOKED, which is final;
  * there is no current list that its CA has signed: it stays pending, and the next attempt of its
    device causes another event;
  * otherwise the policy is attached, and then the certificate activated: in this order, so that no
    ACTIVE certificate is without its policy.

--ca and --crl may contain several CAs and their lists, in PEM.  You may replace the files at any
time: they are read for each certificate.  The policy must exist; one is enough for all devices if
it uses variables (examples/device-policy.json).

It logs in with a password (also taken from $MQTT_PASSWORD, or from the file --pw-file) as one of
admin_users, or with a certificate (--cafile, --cert, --key) that is among admin_certificates or has
the policy that doc/policies.md shows for such programs.  If several run, each needs its own client
id (-i).

Needs paho-mqtt, 1.6 or 2.x (Debian: python3-paho-mqtt), and the command openssl, which checks
revocation lists and saves another library.
"""
import argparse
import json
import os
import queue
import re
import signal
import subprocess
import uuid

import paho.mqtt.client as mqtt

CONTROL = "$CONTROL/jitr/v1"
EVENTS = "$aws/events/certificates/registered/"


def log(text):
    print(" ".join(text.split()), flush=True)


class Activator:
    def __init__(self, options):
        self.options, self.running = options, True
        self.work, self.answers = queue.Queue(), queue.Queue()
        how = {"client_id": options.id, "clean_session": False}  # events wait for us
        if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2
            how["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION2
        self.client = mqtt.Client(**how)
        self.client.on_connect = self.on_connect
        self.client.on_connect_fail = lambda *args: log("the broker cannot be reached")
        self.client.on_subscribe = self.on_subscribe
        self.client.on_message = self.on_message
        if options.username:
            self.client.username_pw_set(options.username, options.password)
        if options.cafile:
            self.client.tls_set(options.cafile, options.cert, options.key)
        self.client.reconnect_delay_set(1, 10)
        self.client.connect_async(options.host, options.port or (8883 if options.cafile else 1883))

    # -- on paho's thread, which reconnects by itself --------------------------

    def on_connect(self, client, userdata, flags, code, *more):
        if code != 0:
            return log("the broker refuses the connection: " + mqtt.connack_string(code))
        client.subscribe(EVENTS + "#", 1)
        self.work.put(None)  # events from now on, and all that are pending

    def on_subscribe(self, client, userdata, mid, codes, *more):
        granted = getattr(codes[0], "value", codes[0]) < 128
        log("listening" if granted else "this user may not subscribe to %s#" % EVENTS)

    def on_message(self, client, userdata, message):
        place = self.work if message.topic.startswith(EVENTS) else self.answers
        place.put(message.payload)

    # -- on the main thread ----------------------------------------------------

    def ask(self, command, **members):
        """One command on the control topic: the data of its answer.  With QoS 0, so that it is not
        sent again later, when it may be outdated."""
        key = uuid.uuid4().hex
        request = {"command": command, "correlationData": key, **members}
        if self.client.publish(CONTROL, json.dumps({"commands": [request]})).rc != 0:
            raise ConnectionError("not connected")
        while True:
            try:
                responses = json.loads(self.answers.get(timeout=10))["responses"]
            except queue.Empty:
                raise TimeoutError("no answer") from None
            for answer in responses:
                # An error of the request as a whole has no correlationData.
                if answer.get("correlationData", key) == key:
                    if "error" in answer:
                        raise RuntimeError("%s: %s" % (answer["error"], answer.get("message")))
                    return answer["data"]

    def pending(self):
        place = {}
        while place is not None:
            page = self.ask("listCertificates", status="PENDING_ACTIVATION", pageSize=250, **place)
            yield from (entry["certificateId"] for entry in page["certificates"])
            place = {"marker": page["nextMarker"]} if page.get("nextMarker") else None

    def objection(self, pem):
        """Why openssl rejects this certificate; "" if it does not."""
        done = subprocess.run(
            ["openssl", "verify", "-partial_chain", "-crl_check", "-no-CApath", "-no-CAstore",
             "-CAfile", self.options.ca, "-CRLfile", self.options.crl],
            input=pem.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        errors = re.findall(r"^error \d+ at \d+ depth lookup: (.*)$", text, re.M)
        return "" if done.returncode == 0 else "; ".join(errors) or text or "openssl failed"

    def decide(self, id):
        shown = self.ask("describeCertificate", certificateId=id)["certificateDescription"]
        if shown["status"] != "PENDING_ACTIVATION":
            return "nothing to do for %s: it is %s" % (id, shown["status"])
        objection = self.objection(shown["certificatePem"])
        if objection == "certificate revoked":  # and nothing is wrong with the list
            self.ask("updateCertificate", certificateId=id, newStatus="REVOKED")
            return "revoked " + id
        if objection:
            return "left pending %s: %s" % (id, objection)
        self.ask("attachPolicy", policyName=self.options.policy, target=shown["certificateArn"])
        self.ask("updateCertificate", certificateId=id, newStatus="ACTIVE")
        return "activated " + id

    def turn(self, event):
        """The certificate of an event; None: all that are pending."""
        for id in self.pending() if event is None else [json.loads(event)["certificateId"]]:
            try:
                log(self.decide(id))
            except (ConnectionError, TimeoutError):
                raise
            except Exception as e:  # refused, or not understood: go on with the others
                log("left pending %s: %s" % (id, str(e) or repr(e)))
            if not self.running:
                return

    def run(self):
        self.client.loop_start()
        while self.running:
            try:
                self.turn(self.work.get(timeout=0.5))
            except (queue.Empty, ConnectionError):
                continue  # on_connect will ask for all
            except TimeoutError:
                log("no answer: is the plugin loaded, and may this user publish to " + CONTROL)
                self.work.put(None)
            except Exception as e:
                log("nothing done: %s" % (str(e) or repr(e)))
        self.client.disconnect()
        self.client.loop_stop()

    def stop(self, *signal):
        """Finishes the present certificate first."""
        self.running = False


def first_line(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\n")
    except OSError as e:
        raise argparse.ArgumentTypeError(e) from None


def read_options():
    parser = argparse.ArgumentParser(add_help=False, description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--ca", required=True, help="the CA's certificate, a file")
    add("--crl", required=True, help="its revocation list, a file")
    add("--policy", required=True, help="name of the policy for activated certificates")
    add("-h", "--host", default="localhost")
    add("-p", "--port", type=int, help="1883 by default, 8883 with TLS")
    add("-i", "--id", default="activate", help="client id")
    add("-u", "--username")
    add("-P", "--pw", dest="password", default=os.environ.get("MQTT_PASSWORD"))
    add("--pw-file", type=first_line, dest="password", help="the password, a file")
    add("--cafile", help="CA of the broker's certificate, a file; turns TLS on")
    add("--cert", help="a certificate to log in with, a file")
    add("--key", help="its key, a file")
    add("--help", action="help")
    return parser.parse_args()


if __name__ == "__main__":
    activator = Activator(read_options())
    signal.signal(signal.SIGTERM, activator.stop)
    signal.signal(signal.SIGINT, activator.stop)
    activator.run()
