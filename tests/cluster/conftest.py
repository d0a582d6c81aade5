"""The cluster of the session, and studies of chains on it. `make test-cluster` runs these; the default does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster_study import ClusterStudy
from slurm_cluster import SlurmCluster, processes_in, wait_until

from provider import Provider

LATENCY_S = 0.5


@pytest.fixture(scope="session")
def started_cluster() -> Iterator[SlurmCluster]:
    cluster = SlurmCluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(started_cluster: SlurmCluster, tmp_path: Path) -> Iterator[SlurmCluster]:
    """The cluster without jobs. A test must leave no job and no process behind, whatever it did to them."""
    yield started_cluster
    started_cluster.start()
    left = started_cluster.jobs()
    if left:
        started_cluster.cancel(*left)
    wait_until(lambda: not processes_in(tmp_path), "the processes of the test to end")
    assert left == []


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(latency_s=LATENCY_S) as started:
        yield started


@pytest.fixture
def make_study(tmp_path: Path, provider: Provider) -> Callable[..., ClusterStudy]:
    """Makes a study of so many chains in a folder whose name has a space; keywords go to its configuration."""

    def make(chains: int = 8, name: str = "my study", **config) -> ClusterStudy:
        return ClusterStudy.with_chains(tmp_path / name, provider, chains, **config)

    return make
