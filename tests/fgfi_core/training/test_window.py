import torch

from fgfi_core.training.window import Window


def test_the_means_are_over_the_steps_in_which_a_value_was_there() -> None:
    window = Window()
    window.add({"loss": torch.tensor(1.0)})
    window.add({"loss": torch.tensor(3.0), "imitation": torch.tensor(5.0)})
    assert window.means() == {"loss": 2.0, "imitation": 5.0}


def test_taking_the_means_starts_anew_and_looking_does_not() -> None:
    window = Window()
    window.add({"loss": torch.tensor(4.0)})
    assert window.peek() == window.means() == {"loss": 4.0}
    assert window.means() == {}


def test_a_window_goes_on_from_its_state() -> None:
    window = Window()
    window.add({"loss": torch.tensor(1.0)})
    restored = Window.from_state(window.state())
    restored.add({"loss": torch.tensor(2.0)})
    assert restored.means() == {"loss": 1.5}
