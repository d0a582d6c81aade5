"""One call's account: room and money are reserved before it is sent, and its end is written whatever happens."""

from __future__ import annotations

from dataclasses import dataclass

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.ledger.costs import most_expensive_usd
from daydreaming.ledger.journal import Journal
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.reading import NoReplyError
from daydreaming.ledger.received import Prices, Reply
from daydreaming.ledger.replies import ReplyStore
from daydreaming.ledger.reply_room import ReplyRoom
from daydreaming.llm.answers import Answer, CallError, inside_failure


@dataclass(frozen=True, slots=True)
class CallContext:
    """For which generation a call is made, where, and at which prices (US dollars per million tokens, in and out)."""

    stage: str
    gen_id: str
    cohort_id: str
    endpoint: str
    template_id: str
    llm_model_id: str
    prices: Prices = (None, None)
    is_of_judge: bool = False

    def account(self) -> dict[str, str]:
        """What the stored answer says of what it was for."""
        names = ("endpoint", "stage", "gen_id", "cohort_id", "template_id", "llm_model_id")
        return {name: getattr(self, name) for name in names}


class OpenCall:
    """A call that has been reserved and has not ended. Its methods write files: call them in a thread."""

    def __init__(self, room: ReplyRoom, journal: Journal, call: str, context: CallContext):
        self._room = room
        self._journal = journal
        self._call = call
        self._context = context

    @classmethod
    def begin(cls, store: ReplyStore, journal: Journal, request: ModelRequest, context: CallContext) -> OpenCall:
        """Reserve room for the answer and the most that the call can cost, and write that the call starts.

        Raises GenerationError (storage, budget): then nothing is reserved, and nothing may be sent.
        """
        room = store.room_for(request)
        try:
            call = journal.start_call(
                most_expensive_usd(request, context.prices),
                stage=context.stage,
                gen_id=context.gen_id,
                template_id=context.template_id,
                llm_model_id=context.llm_model_id,
                request_sha256=request.sha256,
            )
        except BaseException:
            room.discard()
            raise
        return cls(room, journal, call, context)

    def receive(self, answer: Answer) -> None:
        """Store an answer before anyone looks at it. Takes no longer than a write: nothing waits for the disk."""
        self._room.receive(answer.received(), self._context.prices, self._context.account())

    def end(self, outcome: Answer | BaseException, longest_wait_s: float) -> Reply:
        """Settle the account, and return the reply that an answer holds, which was received before.

        Raises the outcome if it is an error; CallError when an answer holds no reply; GenerationError (storage).
        """
        try:
            if not isinstance(outcome, Answer):
                raise outcome
            try:
                reply = self._room.read()
            except NoReplyError as error:
                raise inside_failure(error, outcome, longest_wait_s) from error
        except BaseException as error:
            self._write_failure(error)
            raise
        finally:
            self._room.discard()
        seconds = outcome.milliseconds / 1000
        self._journal.end_call(
            self._call, cost_usd=reply.cost_usd, perhaps_billed=True, seconds=round(seconds, 3), **reply.usage
        )
        return reply

    def _write_failure(self, error: BaseException) -> None:
        if isinstance(error, CallError):
            billed = error.perhaps_billed or None
            self._journal.end_call(self._call, kind=error.kind, status=error.status, perhaps_billed=billed)
        else:
            # Nobody knows how far it came: the call counts with the most that it can have cost.
            kind = error.kind if isinstance(error, GenerationError) else FailureKind.INTERNAL
            self._journal.end_call(self._call, kind=kind, perhaps_billed=True)
