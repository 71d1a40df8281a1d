"""On a GPU: what `test_device_stage.py` cannot hold on a CPU. Run with ``pytest -m gpu``."""

import threading

import numpy as np
import pytest
import torch

from fetalstream.pipeline.inference.encoder import Encoder, Item
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.inference.test_device_stage import pictures, sentences
from tests.pipeline.tiny import PROMPTS, tiny_config, tiny_model

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cpu():
    model = tiny_model()
    return Encoder(model, TextBanks(model, PROMPTS, None))


@pytest.fixture(scope="module")
def cuda():
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    model = load_model(tiny_config(), weights="random", device="cuda", precision="fp32", seed=3)
    made = Encoder(model, TextBanks(model, PROMPTS, None))
    made.warm_up()
    return made


def items():
    first, second = sentences(2)
    return [Item(*each) for each in zip(pictures(), [first, None, second, first, None, second], strict=True)]


def test_a_mixed_batch_agrees_with_the_cpu(cpu, cuda):
    for one, other in zip(cuda.submit(items()).result(), cpu.submit(items()).result(), strict=True):
        np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-2)
        assert (one.gestation_row is None) == (other.gestation_row is None)


def test_many_batches_on_the_way_keep_their_own_answers(cuda):
    alone = [cuda.submit([item]).result()[0].embedding for item in items()]
    on_the_way = [(n, cuda.submit([items()[n]])) for _ in range(20) for n in range(len(alone))]
    for n, pending in on_the_way:
        np.testing.assert_allclose(pending.result()[0].embedding, alone[n], atol=1e-5)


def test_a_graph_is_captured_while_another_thread_uses_the_device(cuda):
    model = load_model(tiny_config(), weights="random", device="cuda", precision="fp32", seed=3)
    over = threading.Event()

    def sentences_being_read():
        while not over.is_set():
            torch.randn(64, 64, device="cuda").square().sum().item()

    thread = threading.Thread(target=sentences_being_read)
    thread.start()
    try:
        Encoder(model, TextBanks(model, PROMPTS, None)).warm_up()
    finally:
        over.set()
        thread.join()


def test_times_are_of_the_device(cuda):
    pending = cuda.submit(items())
    pending.result()
    assert pending.encode_ms > 0
