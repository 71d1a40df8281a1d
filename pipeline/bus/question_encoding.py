"""The ``ask`` command on its way to the engine: its sentence goes through the text tower in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.replies import Submit
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.captions import CAPTION_TEMPLATES, PLANE_NAMES
from fetalstream.pipeline.stream.questions import AskQuestion, EngineCommand, Question, question, words_of

_WITHIN_S: Final = 15.0


def asker_of(ready: LoadedPipeline) -> Callable[[str], Question]:
    """Return the function that makes a sentence a question for this model."""
    known = None
    if ready.model.config.words == "own":
        known = words_of(
            ready.prompts, [*CAPTION_TEMPLATES, *(name for names in PLANE_NAMES.values() for name in names)]
        )
    return lambda text: question(text, ready.banks, known)


def with_words(submit: Submit, asker: Callable[[str], Question]) -> Submit:
    """Return ``submit`` with the sentence of an ``ask`` command made a `Question` first; all else is passed on."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="ask")

    def asked(stream: str | None, text: str) -> Any:
        return submit(AskQuestion(stream, asker(text))).result(_WITHIN_S)

    def passed(command: EngineCommand) -> Future[Any]:
        if isinstance(command, wire.AskSentence) and command.text is not None:
            return executor.submit(asked, command.stream, command.text)
        return submit(command)

    return passed
