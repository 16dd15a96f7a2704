"""What may happen in a world, and how often against everything else; every fault has a name."""

from typing import Final

from tests.simulation.disk import CRASHES, FLUSH_FAULTS, WRITE_FAULTS

DISK_FAULTS: Final = CRASHES + WRITE_FAULTS + FLUSH_FAULTS
ORDINARY: Final = {"deliver": 40.0, "order": 20.0, "wish": 8.0, "market": 5.0, "pause": 1.0}
UNUSUAL: Final = {
    "cut_client": 0.6,
    "half_open_client": 0.4,
    "client_killed": 0.3,
    "request_repeated": 0.8,
    "cut_venue": 0.6,
    "venue_silent": 0.5,
    "venue_stalled": 0.5,
    "fills_late": 0.8,
    "venue_restarted": 0.3,
    "venue_forgot_all": 0.1,
    "old_epoch": 0.2,
    "gateway_killed": 0.5,
    "power_lost": 0.3,
    "gateway_stopped": 0.3,
    "taken_over": 0.5,
    "second_gateway": 0.2,
    "bit_flipped": 0.2,
    "disk_fault": 0.9,
    "clock_forward": 0.2,
    "clock_back": 0.3,
    "next_day": 0.1,
    "limits_reloaded": 0.5,
    "kill_switch": 0.5,
    "compacted": 0.4,
}
FAULTS: Final = (
    *(name for name in UNUSUAL if name != "disk_fault"),
    *DISK_FAULTS,
    "fill_doubled",
    "fill_before_accept",
    "partial_frame",
)
"""Everything that goes wrong, by name; a long run that has not seen one of them has failed."""
