"""Processes of tests, forked from a server in which everything is imported already."""

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.acceptance.warm"])
