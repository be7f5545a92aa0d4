"""What git answered about commits, remembered for the next inspection of the same repository."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Answers(Generic[Q, A]):
    """Answers to one kind of question that do not change while the objects are the same.

    `is_lasting` says which of them are remembered: not those that a limit or a missing object
    decided.
    """

    def __init__(self, is_lasting: Callable[[A], bool]) -> None:
        self._is_lasting = is_lasting
        self._known = dict[Q, A]()

    def __len__(self) -> int:
        return len(self._known)

    def known(self) -> Mapping[Q, A]:
        return self._known

    def remember(self, answers: Mapping[Q, A]) -> None:
        """Add answers that were given before."""
        self._known.update((each, a) for each, a in answers.items() if self._is_lasting(a))

    def each(self, questions: Iterable[Q], ask: Callable[[list[Q]], Mapping[Q, A]]) -> dict[Q, A]:
        """Return the answers, where `ask` gives one; it is asked only what is not known yet.

        Raises: what `ask` raises.
        """
        answers = dict[Q, A]()
        missing = list[Q]()
        for question in questions:
            if question in self._known:
                answers[question] = self._known[question]
            else:
                missing.append(question)
        if missing:
            found = ask(missing)
            answers.update(found)
            self.remember(found)
        return answers

    def one(self, question: Q, ask: Callable[[], A]) -> A:
        """Return the answer to one question. Raises: what `ask` raises."""
        return self.each([question], lambda _: {question: ask()})[question]
