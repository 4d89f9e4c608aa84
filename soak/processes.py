"""What the stack's processes need, and how one of them is stopped for a while."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]

from soak.judging import Sample

_MIB = 1024 * 1024


def sample(pids: Mapping[str, int], at: float) -> list[Sample]:
    """Each service with its child processes, as they are now."""
    return [one for service, pid in pids.items() if psutil.pid_exists(pid) and (one := _sample(service, pid, at))]


def _sample(service: str, pid: int, at: float) -> Sample | None:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    needs = [need for one in family if (need := _memory_and_threads(one))]
    if not needs:
        return None
    mib, threads = (sum(column) for column in zip(*needs, strict=True))
    return Sample(service, at, mib, threads, pid, len(needs))


def _memory_and_threads(process: psutil.Process) -> tuple[float, int] | None:
    """None when the process has ended meanwhile: PostgreSQL's come and go with the connections."""
    try:
        return process.memory_full_info().uss / _MIB, process.num_threads()
    except psutil.Error:
        return None


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process does not run while the block lasts: connections are taken by the system, and nothing answers."""
    process = psutil.Process(pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def away_for(pid: int, seconds: float) -> None:
    """Stops the process for so long."""
    with stopped(pid):
        await asyncio.sleep(seconds)
