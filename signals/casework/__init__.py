"""Let a team work on its signals: claim, attempt, note, notify, conclude, reopen, refer, take back.

Start at `access`, which decides who may see a signal, then read `outcomes.conclude`.
"""

from signals.casework.attempts import correct_attempt, record_attempt
from signals.casework.claims import claim, mark_urgent, reassign, release
from signals.casework.duplicates import conclude_as_duplicate
from signals.casework.informing import record_notice
from signals.casework.notes import add_note, correct_note
from signals.casework.outcomes import conclude, record_wmo, reopen
from signals.casework.postponing import choose_day
from signals.casework.referral import refer
from signals.casework.taking_back import take_back
from signals.casework.undoing import undo
