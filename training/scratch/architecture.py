"""The sizes of the layers: given, or asked for at a prompt as in the paper."""

from __future__ import annotations

from training.scratch.types import Float

LARGEST = 100_000


def dnn_architecture(X: Float, y: Float, hidden: list[int] | None = None) -> list[int]:
    """The layers' sizes: dimensions = [input_size, h1, ..., hn, output_size].

    Args:
        X: Features. Shape (input_size, m).
        y: Labels. Shape (output_size, m).
        hidden: Neurons of each hidden layer; empty for none. None asks for
            them on standard input.

    Raises:
        ValueError: If an answer is no size, or standard input ends.
    """
    sizes = ask_hidden_sizes() if hidden is None else hidden
    return [X.shape[0], *sizes, y.shape[0]]


def ask_hidden_sizes() -> list[int]:
    """The number of hidden layers, then the neurons of each, from standard input."""
    layers = _size(_ask("Number of hidden layers: "), "number of hidden layers", smallest=0)
    return [
        _size(_ask(f"Neurons of hidden layer {i}: "), f"size of hidden layer {i}")
        for i in range(1, layers + 1)
    ]


def read_hidden_sizes(text: str) -> list[int]:
    """The sizes in a text such as "64,32"."""
    return [
        _size(part, f"size of hidden layer {i}") for i, part in enumerate(text.split(","), start=1)
    ]


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise ValueError("the input ended before all hidden sizes were given") from None


def _size(text: str, what: str, smallest: int = 1) -> int:
    text = text.strip()
    # Longer digits than LARGEST has are no size either; int() refuses very long ones itself.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST))):
        raise ValueError(f"expected a whole number as the {what}, found '{text[:40]}'")
    if not smallest <= int(text) <= LARGEST:
        raise ValueError(f"expected the {what} from {smallest} to {LARGEST}, found {text}")
    return int(text)
