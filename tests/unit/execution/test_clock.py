from neural_trader.execution.clock import Clock

SECOND = 1_000_000_000


class Machine:
    """A machine whose time somebody sets."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000 * SECOND
        self.steady = 5 * SECOND

    def wait(self, nanoseconds: int) -> None:
        self.wall += nanoseconds
        self.steady += nanoseconds


def test_time_set_back_goes_on() -> None:
    machine = Machine()
    clock = Clock(lambda: machine.wall, lambda: machine.steady)
    begun = clock.now()
    assert begun == machine.wall
    machine.wait(SECOND)
    machine.wall -= 3_600 * SECOND
    clock.follow()
    machine.wait(SECOND)
    assert clock.now() == begun + 2 * SECOND


def test_time_set_forward_is_followed_beyond_a_second() -> None:
    machine = Machine()
    clock = Clock(lambda: machine.wall, lambda: machine.steady)
    machine.wall += SECOND // 2
    clock.follow()
    assert clock.now() == machine.wall - SECOND // 2
    machine.wall += 3_600 * SECOND
    clock.follow()
    assert clock.now() == machine.wall


def test_the_machine_s_own() -> None:
    clock = Clock()
    assert clock.now() <= clock.now()
