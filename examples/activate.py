#!/usr/bin/env python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""A rule of your own, as a program: gives certificates a policy and activates them as they
register, unless their CA's revocation list names them.

    activate.py -u admin -P secret --ca ca.pem --crl ca.crl --policy device

It hears of registrations ($aws/events/certificates/registered/<caCertificateId>).  When it starts,
and when it connects again, it asks who else is PENDING_ACTIVATION, so that nobody is forgotten
while it, or the broker, is away.  For each certificate:

  * it is no longer pending: nothing is done (an event may come twice: at least once is the
    promise);
  * it is on the list: REVOKED, for good;
  * there is no list that its CA has signed and that is current: it stays pending, and the next
    attempt of its device brings the next event;
  * else the policy is attached, and then the certificate activated: in this order, so that no
    ACTIVE certificate is without its policy.

--ca and --crl may hold several CAs and their lists, one behind the other, in PEM.  Replace the
files whenever you like: they are read for each certificate.  The policy exists already; one is
enough for all devices if it speaks of each by variables (examples/device-policy.json).

It logs in with a password (also taken from $MQTT_PASSWORD, or from the file --pw-file) as one of
admin_users, or with a certificate (--cafile, --cert, --key) that is among admin_certificates or has
the policy which doc/policies.md shows for such programs.  Two of them need client ids of their own
(-i).

Needs paho-mqtt, 1.6 or 2.x (Debian: python3-paho-mqtt), and the command openssl, which checks
revocation lists without one more library to install.
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

    # -- on paho's thread, which connects again by itself ----------------------

    def on_connect(self, client, userdata, flags, code, *more):
        if code != 0:
            return log("the broker does not let us in: " + mqtt.connack_string(code))
        client.subscribe(EVENTS + "#", 1)
        self.work.put(None)  # events from now on, and what was before

    def on_subscribe(self, client, userdata, mid, codes, *more):
        granted = getattr(codes[0], "value", codes[0]) < 128
        log("listening" if granted else "this user may not subscribe to %s#" % EVENTS)

    def on_message(self, client, userdata, message):
        place = self.work if message.topic.startswith(EVENTS) else self.answers
        place.put(message.payload)

    # -- on ours ---------------------------------------------------------------

    def ask(self, command, **members):
        """One command on the control topic: the data of its answer.  With QoS 0, so that it is not
        sent again later, when it may be wrong."""
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
        """What openssl says against this certificate, if anything."""
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
        if objection == "certificate revoked":  # and not a word against the list
            self.ask("updateCertificate", certificateId=id, newStatus="REVOKED")
            return "revoked " + id
        if objection:
            return "left pending %s: %s" % (id, objection)
        self.ask("attachPolicy", policyName=self.options.policy, target=shown["certificateArn"])
        self.ask("updateCertificate", certificateId=id, newStatus="ACTIVE")
        return "activated " + id

    def turn(self, event):
        """What an event is about; None: all that is pending."""
        for id in self.pending() if event is None else [json.loads(event)["certificateId"]]:
            try:
                log(self.decide(id))
            except (ConnectionError, TimeoutError):
                raise
            except Exception as e:  # refused, or not understood: the others have their turn
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
        """The certificate at hand is done with first."""
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
    add("--policy", required=True, help="what activated certificates get, a name")
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
