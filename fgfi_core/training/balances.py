"""The weights of a method's loss terms: numbers from the spec, or measured gradients, one balance for each `auto`."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from fgfi_core.imitation import GradientBalance
from fgfi_core.spec.methods import Imitation


class Balances:
    """Weights by term. method: None for a training that imitates nothing."""

    def __init__(self, method: Imitation | None) -> None:
        terms = {} if method is None else method.terms()
        steps = 1 if method is None else method.balance_steps
        self._given = {name: float(term.weight) for name, term in terms.items() if term.weight != "auto"}
        self._balances = {
            name: GradientBalance(term.balance, steps) for name, term in terms.items() if term.weight == "auto"
        }

    def measure(self, detection: Tensor, added: Mapping[str, Tensor], maps: Sequence[Tensor]) -> None:
        """Measure gradients where that is not over yet.

        detection: scalar, the detection loss. added: the method's terms, unweighted. maps: the student's imitated maps.
        """
        for name, balance in self._balances.items():
            balance.update(detection, added[name], maps)

    def weights(self) -> dict[str, float]:
        """The weights as they are now, of terms that have one."""
        return {**self._given, **self.measured()}

    def measured(self) -> dict[str, float]:
        """Of `weights` those that were measured."""
        return {name: balance.value for name, balance in self._balances.items() if balance.value is not None}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        return {name: balance.state_dict() for name, balance in self._balances.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        for name, balance in self._balances.items():
            balance.load_state_dict(state[name])
