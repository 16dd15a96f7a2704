"""Requests whose number is not new: the same one once more, or another with a number in use."""

from typing import NamedTuple

from neural_trader.execution import messages as m
from neural_trader.execution.accounts import Account
from neural_trader.execution.sessions import Session

Numbered = m.Submit | m.Cancel | m.Replace | m.Switch


class Refusal(NamedTuple):
    """Why a request is not taken."""

    code: str
    message: str


def answer_again(session: Session, account: Account, request: Numbered) -> bytes | Refusal | None:
    """Decide what a request gets whose number is not above the last one.

    Returns
    -------
    bytes, Refusal or None
        The identical reply, where it is the same request and the reply is remembered; None where
        the answer is still to come, be it from the venue or in its place in the stream.
        ``number_taken`` says that the number surely was not this request's, so that another may be
        used; ``number_used`` that it may have been, and what became of it is no longer known here.
    """
    no = request.no
    order = account.order(no)
    known = account.replies.get(no)
    wish = account.requests.get(no)
    asker = known[0] if known else order.client if order else wish.client if wish else 0
    same = (
        type(request) is not m.Submit
        or order is None
        or ((order.symbol, order.kind) == (request.symbol, request.kind))
    )
    used = Refusal(
        "number_used", f"number {no} has been used, and the reply to it is no longer remembered"
    )
    if asker == session.client and same:
        if known is None:
            is_waited_for = wish is not None or (order is not None and order.status == "submitted")
            return None if is_waited_for else used
        event = m.decode_record(known[1])
        # One that is being caught up gets it in its place in the stream.
        is_told = session.is_live or event.seq < session.next_seq
        return known[1] if is_told else None
    if asker or no > account.forgotten_no:
        text = f"number {no} belongs to another request; use one above {account.last_no}"
        return Refusal("number_taken", text)
    return used
