# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Rows where the registrar cannot be started again, or hangs."""
import errno
import os
import signal
import time

from load import running
from rows import ANSWERED, row
from scene import ALL


def end_registrar(scene):
    os.kill(scene.registrar(), signal.SIGKILL)


def go_without(bench, scene, break_it, mend, words):
    """No registrar for a while: changes are refused, known devices connect."""
    with bench.attempt():
        with running(scene, tolerant=True) as load:
            time.sleep(0.3)
            break_it()
            end_registrar(scene)
            scene.broker.wait_for_log(words)
            scene.changes_are_refused(["not running"])
            scene.known_devices_connect()
            mend()
            scene.works()
        assert load.turned_away == 0, "known devices were turned away"
        scene.restart_and_compare()


@row("restart: EMFILE, EAGAIN, ENOMEM", "changes refused, known devices, bystander; " + ANSWERED)
def spawn_fails(bench):
    for error in (errno.EMFILE, errno.EAGAIN, errno.ENOMEM):
        with bench.scene(shim=True) as scene:
            control = scene.shim.control

            def break_it(control=control, error=error):
                control.spawn_errno, control.spawns = error, ALL

            def mend(control=control):
                control.spawns = 0

            go_without(bench, scene, break_it, mend, os.strerror(error))


@row("registrar stopped for 5 s", "known devices, bystander, all works; " + ANSWERED)
def registrar_stopped(bench):
    with bench.scene() as scene:
        with bench.attempt():
            with running(scene, tolerant=True) as load:
                time.sleep(0.5)
                pid = scene.registrar()
                os.kill(pid, signal.SIGSTOP)
                scene.known_devices_connect()
                time.sleep(5)
                os.kill(pid, signal.SIGCONT)
                scene.works()
            assert load.turned_away == 0, "known devices were turned away"
            scene.restart_and_compare()
