# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Thousands at once, with the program of the benchmark (test/bench/bench_storm.c). Its numbers are
not checked here, only that everything happens, with the broker's default limits."""
import os
import subprocess

import pytest

from broker import BUILD_DIR, PLUGIN, PRELOAD, program

CLOSES, EVENTS = 400, 3000


@pytest.mark.skipif(bool(PRELOAD), reason="the program is not made for sanitizers")
def test_no_event_of_a_storm_is_lost_and_no_connection_forgotten(directory):
    """A subscriber of QoS 1 gets the event of each of 3000 devices that connect for the first time
    within seconds, although the broker drops messages beyond the 1000 of its queue
    (mosquitto.conf(5), max_queued_messages); and one policy version closes each of 400 silent
    connections, on a quiet broker and on a busy one."""
    env = dict(os.environ, JITR_BENCH_CLOSES=str(CLOSES), JITR_BENCH_EVENTS=str(EVENTS),
               JITR_BENCH_BROKER=program("mosquitto"))
    ran = subprocess.run([BUILD_DIR / "test" / "bench" / "bench_storm", directory, PLUGIN],
                         env=env, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("%d of %d closed" % (CLOSES, CLOSES)) == 2, ran.stdout
    assert "%d of %d events arrived" % (EVENTS, EVENTS) in ran.stdout, ran.stdout
    log = (directory / "storm.log").read_text(errors="replace")
    assert "Outgoing messages are being dropped" not in log
    assert "jitr: 1000 events in a row" in log
