"""The processes of the load: begun once, used again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, NamedTuple, Self, final

from tests.bench.figures import WrongResult
from tests.bench.load import Job, Outcome, serve

#: As many processes as any work needs.
_MOST: Final = 16

#: From when everybody is ready to when they begin, so that all of them know.
_HEAD_START_SECONDS: Final = 0.01


class Shift(NamedTuple):
    """What was done together: when it began, and the outcomes in the order of the jobs."""

    start: float
    outcomes: list[Outcome]

    @property
    def processor_seconds(self) -> float:
        """What the load needed."""
        return sum(outcome.processor_seconds for outcome in self.outcomes)


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: Pipe


@final
class Crew:
    """Processes that do jobs at the same time, within a `with` statement."""

    def __init__(self) -> None:
        # Not forked: a copy of this process would have its threads' locks, held by nobody.
        self._context = get_context("spawn")
        self._counts = self._context.RawArray("q", _MOST)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.dismiss()

    def work(self, jobs: Sequence[Job]) -> Shift:
        """Let each job be done by a process of its own, all beginning at the same time.

        Raises:
            WrongResult: One of them failed.
        """
        self._counts[:] = [0] * _MOST
        while len(self._workers) < len(jobs):
            self._hire()
        pipes = [worker.pipe for worker in self._workers[: len(jobs)]]
        for pipe, job in zip(pipes, jobs, strict=True):
            pipe.send(job)
        for pipe in pipes:
            self._listen(pipe)
        start = time.monotonic() + _HEAD_START_SECONDS
        for pipe in pipes:
            pipe.send(start)
        return Shift(start, [self._outcome(pipe) for pipe in pipes])

    def dismiss(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.process.close()
            worker.pipe.close()
        self._workers.clear()

    def _hire(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._counts, len(self._workers)), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _outcome(self, pipe: Pipe) -> Outcome:
        outcome = self._listen(pipe)
        assert outcome is not None, "this process has done its job"
        return outcome

    def _listen(self, pipe: Pipe) -> Outcome | None:
        """Return what a process answers: nothing when it is ready, then the outcome."""
        answer: Outcome | str | None = pipe.recv()
        if isinstance(answer, str):
            self.dismiss()  # the others would wait for what never comes
            raise WrongResult(answer)
        return answer
