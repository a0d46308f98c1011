# SPDX-License-Identifier: Apache-2.0
"""What a user sees when AWS does not do what was asked: the errno, the message, and the world unchanged."""
import os
import re
import signal
import subprocess
import time

import peer

WEB = "clusters/prod/services/web/"


class Faults(peer.Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        cls.ecs = peer.client(cls.moto.url)
        cls.ecs.create_cluster(clusterName="prod")
        peer.family(cls.ecs, "web", 2)
        peer.service(cls.ecs, "prod", "web", "web:2", 2)
        peer.service(cls.ecs, "prod", "api", "web:1", 1)
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))

    def setUp(self):
        self.proxy.reset()

    def tearDown(self):
        self.proxy.reset()

    def mount(self, endpoint=None, options="stale=1", **how):
        mount = peer.Mount(endpoint or self.proxy.url, options, **how)
        mount.__enter__()
        self.addCleanup(mount.__exit__, None, None, None)
        return mount

    def told(self, mount, *words):
        """The newest line of .ecsfs/errors says so."""
        line = mount.cat(".ecsfs/errors").splitlines()[-1]
        for word in words:
            self.assertIn(word, line)

    # -- no answer

    def test_hanging_endpoint(self):
        mount = self.mount(options="stale=60")
        mount.cat(WEB + "desired-count")
        self.proxy.fault("hang", seconds=120)
        began = time.monotonic()
        self.assertEqual(mount.sh("cat %sdesired-count" % WEB).stdout, "2\n")
        self.assertLess(time.monotonic() - began, 0.5, "what is known is answered at once")
        for path in ("clusters/prod/services/api/desired-count", "task-definitions/web/1.json", "clusters/none/arn"):
            reader = subprocess.Popen(["cat", mount.path(path)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(0.5)
            self.assertIsNone(reader.poll(), "nothing to read yet")
            began = time.monotonic()
            reader.send_signal(signal.SIGINT)
            reader.wait(30)
            self.assertLess(time.monotonic() - began, 1, "Ctrl-C ends the read of " + path)
        began = time.monotonic()
        self.assertEqual(mount.sh("cat %srunning-count" % WEB).stdout, "2\n")
        self.assertLess(time.monotonic() - began, 0.5, "and the others are not delayed")

    def test_what_was_given_up_is_not_sent_again(self):
        """Ctrl-C, then another value: the first one does not come after it, also when its kept connection dies."""
        mount = self.mount()
        mount.echo("4", WEB + "desired-count")
        self.proxy.reset()
        self.proxy.fault("hang", op="UpdateService", times=1, seconds=2)
        given_up = subprocess.Popen(["bash", "-c", "echo 7 > " + mount.path(WEB + "desired-count")])
        peer.until(lambda: self.proxy.log("UpdateService"))
        given_up.send_signal(signal.SIGINT)
        given_up.wait(5)
        mount.echo("3", WEB + "desired-count")
        self.assertTrue(peer.until(lambda: "desiredCount=7" in mount.cat(".ecsfs/journal")), "its end is on record")
        self.assertEqual([e["params"]["desiredCount"] for e in self.proxy.log("UpdateService")], [7, 3])
        self.assertEqual(mount.cat(WEB + "desired-count"), "3\n")
        mount.echo("2", WEB + "desired-count")

    def test_unmount_with_calls_in_flight(self):
        mount = peer.Mount(self.proxy.url)
        with mount:
            self.proxy.fault("hang", seconds=120)
            reader = subprocess.Popen(["cat", mount.path(WEB, "desired-count")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            time.sleep(0.5)
            began = time.monotonic()
            subprocess.run(["fusermount3", "-uz", mount.at], check=True)
            mount.process.send_signal(signal.SIGTERM)
            mount.process.wait(15)
            self.assertLess(time.monotonic() - began, 8)
            self.assertNotEqual(reader.wait(10), 0)

    def test_known_things_stay_when_aws_does_not_answer(self):
        mount = self.mount(options="stale=1")
        self.assertEqual(mount.cat(WEB + "desired-count"), "2\n")
        self.proxy.fault("reset")
        time.sleep(1.5)
        self.assertEqual(mount.cat(WEB + "desired-count"), "2\n")
        self.assertTrue(os.getxattr(mount.path(WEB, "desired-count"), "user.ecsfs.stale"))
        self.proxy.reset()
        for _ in range(100):  # AWS is asked again a second after the last failure
            time.sleep(0.1)
            self.assertEqual(mount.cat(WEB + "desired-count"), "2\n")
            try:
                os.getxattr(mount.path(WEB, "desired-count"), "user.ecsfs.stale")
            except OSError:
                return
        self.fail("still stale")

    def test_dead_endpoint(self):
        mount = self.mount("http://127.0.0.1:%d" % peer.free_port())
        self.assertIn("clusters", mount.ls("."))
        self.assertEqual(mount.error("clusters"), "ECONNREFUSED")
        self.told(mount, "clusters", "127.0.0.1")
        status = mount.json(".ecsfs/status.json")
        self.assertIs(status["backend"]["reachable"], False)

    # -- credentials

    def test_wrong_secret(self):
        mount = self.mount(secret="wrong")
        self.assertEqual(mount.error("clusters"), "EKEYREJECTED")
        self.told(mount, "SignatureException")

    def test_unknown_key(self):
        mount = self.mount(key="AKIDNOBODY0000000001")
        self.assertEqual(mount.error("clusters"), "EKEYREJECTED")
        self.told(mount, "UnrecognizedClientException")

    def test_posix_errno(self):
        mount = self.mount(secret="wrong", options="posix_errno")
        self.assertEqual(mount.error("clusters"), "EACCES")

    def test_no_credentials(self):
        mount = self.mount(key=None)
        self.assertIn("clusters", mount.ls("."))
        self.assertEqual(mount.error("clusters"), "ENOKEY")
        self.assertEqual(self.proxy.ops(), [])

    def test_secrets_are_told_nobody(self):
        secret = "not/the+right=secret0000"
        mount = self.mount(secret=secret)
        mount.error("clusters")
        text = mount.said() + "".join(mount.cat(".ecsfs/" + f) for f in ("errors", "journal", "status.json", "options.json"))
        self.assertNotIn(secret, text)
        self.assertNotIn("Signature=", text)

    # -- answers that say no

    # Fault, errno of a read, errno of a write, what the error says. No errno: the answer could not be read but
    # the work was done, and looking at AWS told so.
    REFUSALS = (
        ("access_denied", "EACCES", "EACCES", "AccessDeniedException"),
        ("expired_token", "EKEYEXPIRED", "EKEYEXPIRED", "ExpiredTokenException"),
        ("bad_token", "EKEYREJECTED", "EKEYREJECTED", "UnrecognizedClientException"),
        ("throttle", "EBUSY", "EBUSY", "ThrottlingException"),
        ("http500", "EIO", "EIO", "ServerException"),
        ("http503", "EIO", "EIO", "503"),
        ("html502", "EIO", "EIO", "502"),
        ("redirect", "EPROTO", "EPROTO", "307"),
        ("garbage", "EPROTO", "EPROTO", ""),
        ("array", "EPROTO", "EPROTO", ""),
        ("truncate_json", "EPROTO", None, ""),
        ("dupkeys", "EPROTO", None, ""),
    )

    def test_refused_reads(self):
        for kind, on_read, _, says in self.REFUSALS:
            with self.subTest(kind):
                mount = self.mount(options="stale=0")
                self.proxy.fault(kind)
                try:
                    self.assertEqual(mount.error("clusters/prod/services/api/desired-count"), on_read)
                    self.told(mount, "/clusters", says)
                finally:
                    self.proxy.reset()
                self.assertEqual(mount.cat("clusters/prod/services/api/desired-count"), "1\n", "it heals")

    def test_refused_writes(self):
        for kind, _, on_write, says in self.REFUSALS:
            with self.subTest(kind):
                mount = self.mount()
                path = WEB + "desired-count"
                before = mount.cat(path)
                self.proxy.fault(kind, op="UpdateService")
                try:
                    self.assertEqual(mount.failing(lambda: mount.echo("9", path)), on_write)
                    if on_write:
                        self.told(mount, path, says)
                        self.assertIn(says, os.getxattr(mount.path(path), "user.ecsfs.error").decode())
                finally:
                    self.proxy.reset()
                truth = self.ecs.describe_services(cluster="prod", services=["web"])["services"][0]["desiredCount"]
                self.assertEqual("%d\n" % truth, before if on_write else "9\n")
                time.sleep(1.1)
                self.assertEqual(mount.cat(path), "%d\n" % truth)
                self.ecs.update_service(cluster="prod", service="web", desiredCount=int(before))

    def test_a_passing_trouble_is_tried_again(self):
        for kind in ("throttle", "http500", "http503", "reset", "close", "keepalive_close"):
            with self.subTest(kind):
                mount = self.mount()
                self.proxy.fault(kind, times=1)
                self.assertEqual(mount.cat("clusters/prod/services/api/desired-count"), "1\n")
                self.proxy.reset()

    def test_an_answer_in_pieces(self):
        for kind in ("chunked", "slow"):
            with self.subTest(kind):
                mount = self.mount()
                self.proxy.fault(kind, seconds=1)
                self.assertEqual(mount.cat("clusters/prod/services/api/desired-count"), "1\n")
                self.proxy.reset()

    def test_a_giant_answer(self):
        mount = self.mount()
        self.proxy.fault("pad", bytes=32 << 20)
        self.assertEqual(mount.error("clusters/prod/services/api/desired-count"), "EPROTO")
        with open("/proc/%d/status" % mount.process.pid) as f:
            peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))
        self.assertLess(peak, 256 * 1024, "kB")


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
