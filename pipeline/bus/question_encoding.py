"""The ``ask`` command on its way to the engine: sentences go through the text tower in a thread of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.captions import CAPTION_TEMPLATES, PLANE_NAMES
from fetalstream.pipeline.stream.questions import Question, question, words_of

Submit = Callable[[str, Mapping[str, Any]], "Future[Any]"]
_WITHIN_S: Final = 15.0


def asker_of(ready: LoadedPipeline) -> Callable[[str], Question]:
    """From a sentence to a question for this model."""
    known = None
    if ready.model.config.words == "own":
        known = words_of(
            ready.prompts, [*CAPTION_TEMPLATES, *(name for names in PLANE_NAMES.values() for name in names)]
        )
    return lambda text: question(text, ready.banks, known)


def with_words(submit: Submit, asker: Callable[[str], Question]) -> Submit:
    """``submit``, with the sentence of an ``ask`` made a `Question` first; all else is passed on as it is."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="ask")

    def asked(args: Mapping[str, Any]) -> Any:
        text = str(args["text"])
        return submit("ask", {**args, "question": asker(text)}).result(_WITHIN_S)

    def passed(command: str, args: Mapping[str, Any]) -> Future[Any]:
        if command != "ask" or args.get("text") is None:
            return submit(command, args)
        return executor.submit(asked, args)

    return passed
