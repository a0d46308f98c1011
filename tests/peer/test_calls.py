# SPDX-License-Identifier: Apache-2.0
"""How often AWS is asked: counted by the proxy, for each thing that a user does."""

import peer

SERVICES = 37


class Calls(peer.Case):
    @classmethod
    def setUpClass(cls):
        cls.moto = cls.enter(peer.Moto())
        cls.ecs = peer.client(cls.moto.url)
        cls.ecs.create_cluster(clusterName="big")
        peer.family(cls.ecs, "web", 2)
        for i in range(SERVICES):
            peer.service(cls.ecs, "big", "svc-%02d" % i, "web:2", i)
        cls.proxy = cls.enter(peer.Proxy(cls.moto.url))

    def setUp(self):
        self.proxy.reset()
        self.mount = peer.Mount(self.proxy.url, "stale=30")
        self.mount.__enter__()
        self.addCleanup(self.mount.__exit__, None, None, None)

    def tearDown(self):
        self.assertEqual(self.proxy.unclean(), [])

    def asked(self):
        """What was asked: of ECS alone."""
        ops = self.proxy.ops()
        self.assertNotIn("GetCallerIdentity", ops)  # who we are is asked when somebody looks at the status
        return ops

    def count(self, op):
        return self.proxy.ops().count(op)

    def test_mounting_asks_nothing(self):
        self.sh("ls; cat README .ecsfs/version > /dev/null")
        self.assertEqual(self.proxy.ops(), [])

    def test_every_desired_count(self):
        counts = "cd clusters/big/services && cat */desired-count"
        self.assertEqual(self.sh(counts).split(), [str(i) for i in range(SERVICES)])
        lists = self.proxy.log("ListServices")
        self.assertEqual([e["params"]["maxResults"] for e in lists], [100])
        self.assertLessEqual(self.count("DescribeServices"), (SERVICES + 9) // 10)
        self.assertLessEqual(len(self.asked()), 1 + 4 + 2)
        self.proxy.reset()
        self.assertEqual(self.sh(counts).split(), [str(i) for i in range(SERVICES)])
        self.assertEqual(self.proxy.ops(), [], "within `stale` a second read asks nothing")

    def test_a_lookup_asks_for_what_it_names(self):
        self.assertEqual(self.sh("cat clusters/big/services/svc-07/desired-count"), "7\n")
        self.assertLessEqual(len(self.asked()), 2, self.asked())
        self.assertEqual(self.count("ListServices"), 0)

    def test_a_hundred_first_readers_make_one_describe(self):
        self.proxy.config(latency_ms=200)
        self.addCleanup(self.proxy.config, latency_ms=0)
        out = self.sh("for i in {1..100}; do cat clusters/big/services/svc-11/desired-count & done; wait")
        self.assertEqual(out.split(), ["11"] * 100)
        self.assertEqual(self.count("DescribeServices"), 1)
        self.assertLessEqual(len(self.asked()), 2, self.asked())

    def test_a_write_is_one_call_and_the_next_read_none(self):
        at = "clusters/big/services/svc-20/desired-count"
        self.sh("cat " + at)
        self.proxy.reset()
        self.assertEqual(self.sh("echo 21 > %s; cat %s" % (at, at)), "21\n")
        self.assertEqual(self.proxy.ops(), ["UpdateService"])
        self.sh("echo 20 > " + at)

    def test_revisions_are_asked_for_once(self):
        self.sh("cat task-definitions/web/1.json")
        self.proxy.reset()
        self.sh("cat task-definitions/web/1.json; cat task-definitions/web/describe/1.json")
        self.assertEqual(self.proxy.ops(), [])

    def test_what_is_not_there_is_not_asked_for_twice(self):
        for expected in (1, 1):
            self.assertEqual(self.mount.error("clusters/big/services/none/arn"), "ENOENT")
            self.assertEqual(self.count("DescribeServices"), expected)

    def test_many_pages(self):
        self.proxy.config(page_cap=10)
        self.addCleanup(self.proxy.config, page_cap=0)
        self.assertEqual(len(self.mount.ls("clusters/big/services")), SERVICES)
        self.assertEqual(self.count("ListServices"), 4)


if __name__ == "__main__":
    peer.need_proxy()
    peer.main()
