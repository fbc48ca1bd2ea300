"""The answers to refusals that only staff meet, by code. `messages` holds those for everybody."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

TOO_LARGE = _("What staff send fits in 64 KiB.")
SIGN_IN_AGAIN = _("Sign in and open this page again.")

TITLES: dict[str, LazyString] = {
    "forbidden": _("Your role may not do this"),
    "not_signed_in": _("Please sign in first"),
    "sign_in_failed": _("Signing in failed"),
    "row_refused": _("This account was changed outside the program"),
    "no_provider": _("There is no sign-in of an organisation for this address"),
    "provider_unavailable": _("The sign-in of your organisation does not answer"),
    "provider_refused": _("The sign-in of your organisation did not prove who you are"),
    "clocks_apart": _("The clock of your organisation's sign-in differs from ours"),
    "set_up_first": _("Set up your account first"),
    "second_factor_wanted": _("One more step"),
    "too_many_guesses": _("Too many attempts"),
    "openings_stopped": _("You opened very many signals"),
    "stale_version": _("Changed by somebody else in the meantime"),
    "stale_settings": _("Changed by somebody else in the meantime"),
    "state_forbids": _("Not possible in this state"),
    "claimed_by_other": _("A colleague has this signal"),
    "handover_over": _("This handover cannot be taken back any more"),
    "undo_over": _("This can no longer be undone"),
    "other_restricted": _("Work on the other signal is restricted"),
    "restricted": _("Work on this signal is restricted"),
    "link_refused": _("This link works no more"),
    "passkey_refused": _("This passkey was not accepted"),
    "challenge_refused": _("This took too long"),
    "content_gone": _("This signal cannot be read"),
    "csrf_failed": _("The page was open for too long"),
    "coverage_overlaps": _("This area is covered already"),
    "last_national_desk": _("This is the only national desk that receives"),
    "already_decided": _("This request was decided already"),
    "nobody_to_approve": _("Nobody of this team can approve it"),
    "not_ready": _("This team cannot go live yet"),
    "link_lives": _("A link is on its way already"),
    "shut_out_too_soon": _("Not two of them at once"),
    "release_refused": _("These figures cannot be released now"),
    "chosen_already": _("Somebody chose otherwise already"),
    "no_address_now": _("There is nobody to send this to now"),
    "limit_not_raised": _("This limit cannot be raised any more"),
}

DETAILS: dict[str, LazyString] = {
    "forbidden": _("Ask your team lead if you need this."),
    "not_signed_in": _("Sign in, or send a valid token in the Authorization header."),
    "sign_in_failed": _("Check e-mail address, password and code; a code works only once."),
    "row_refused": _("It is refused until the operator of the server has looked. The administrators know."),
    "no_provider": _("Sign in below, or ask your team lead which address you were invited with."),
    "provider_unavailable": _(
        "Try again later. Is it urgent? Then two colleagues can sign in with the printed code, below."
    ),
    "provider_refused": _("Nothing was opened. Begin again here; if it stays, call your own help desk."),
    "clocks_apart": _("They differ by minutes, so nothing was opened. Tell your own help desk."),
    "second_factor_wanted": _("The six digits that your authenticator app shows now."),
    "set_up_first": _("Use the link from your invitation: it connects an authenticator app."),
    "too_many_guesses": _("Wait a little before you try again."),
    "openings_stopped": _(
        "Your team lead and your privacy officer have a message. One of them can let your account go on."
    ),
    "stale_version": _("Read it again and repeat your change."),
    "stale_settings": _("Read the settings again and repeat your change."),
    "state_forbids": _("Read the signal again: its state does not allow this now."),
    "claimed_by_other": _("Somebody else works on it. Ask them or your team lead."),
    "handover_over": _(
        "The other organisation opened the signal, or an hour went by. Call them: they can hand it back."
    ),
    "undo_over": _(
        "Somebody changed the signal since, or the year's figures count it. Look how it is now, and correct "
        "that."
    ),
    "other_restricted": _("Follow this one up by itself: nobody may work on the other one now."),
    "restricted": _("The resident asked for it. Your privacy officer can lift the restriction."),
    "link_refused": _("It was used already or is too old. Ask for a new one."),
    "passkey_refused": _("Try it again, or sign in with your password and a code."),
    "challenge_refused": _("Load the page again and repeat what you did."),
    "content_gone": _(
        "It was deleted on time, or it is damaged. Is this signal still to be followed up? Then tell your "
        "privacy officer: a copy of the keys may help for 14 days."
    ),
    "csrf_failed": _("Go back, load the page again and repeat what you did."),
    "coverage_overlaps": _(
        "On some of these dates it is. Let that coverage end first, or choose other dates."
    ),
    "last_national_desk": _("Let another national desk receive first: it gets what no organisation covers."),
    "chosen_already": _("Load the page again: a worker does what was chosen."),
    "no_address_now": _(
        "Its recipient's address was not confirmed yet, or is gone. Load the page again: it says which."
    ),
    "limit_not_raised": _("It holds for another day, or it was raised as often as it may be."),
    "nobody_to_approve": _(
        "This team has nobody who can sign in and approve. Ask who runs the server to let somebody in."
    ),
    "not_ready": _("Do the steps without a tick first."),
    "link_lives": _("The mailed link works for 24 hours. A reset again would only end it."),
    "shut_out_too_soon": _(
        "You shut out another lead or privacy officer of this team in the last three working days. Wait, or "
        "let somebody else do it: nobody takes all who decide away alone."
    ),
    "already_decided": _("Somebody else decided it, or it waited for more than 14 days. Ask for it again."),
    "release_refused": _("A period is released once, after it is over and after those before it."),
}

FIELDS: dict[str, LazyString] = {
    "before_receipt": _("This lies before the signal was received."),
    "not_https": _("Give an address that begins with https://."),
    "not_an_rsin": _("Give the nine digits of the RSIN."),
    "not_a_time": _("This must be a time, like 14:30."),
    "not_a_moment": _("This must be a date and time, like 2026-11-24T14:30:00Z."),
    "needs_offset": _("Add the time zone, like Z or +01:00."),
    "in_future": _("This lies in the future."),
    "too_early": _("Choose 1 January 2000 or a later day."),
    "exactly_one": _("Give exactly one of these."),
    "not_with_this_outcome": _("This does not go with the chosen outcome."),
    "before_agreed_day": _("A day was agreed that lies ahead: give a reason, or wait for it."),
    "not_asked": _("Leave this out: it is recorded already, or does not go with the chosen outcome."),
    "takes_a_talk": _("Choose how somebody spoke with the resident, or another outcome."),
    "too_few_attempts": _("Try more often and in other ways first, or give a reason."),
    "not_a_code": _("This must be one of the codes in the documentation."),
    "not_a_version": _("This must be a version number, like 3."),
    "unknown": _("This does not exist here."),
    "cannot_receive": _("This organisation cannot receive signals now."),
    "taken": _("This is in use already."),
    "unattended_too_long": _("Choose 28 days at most: within a month the resident is told (art. 14 GDPR)."),
    "period_too_short": _(
        "Choose more days: at least 16 more than the working days within which your team first tries to "
        "reach the resident."
    ),
    "limit_too_short": _("The utmost period must be at least as long as each of the others."),
    "file_too_large": _("Choose a smaller file, or let somebody run 'signals organisations import'."),
    "not_text": _("Save the file as 'CSV UTF-8' and choose it again."),
    "nothing_to_change": _("Name at least one thing to change."),
    "not_ahead": _("Choose a day after today."),
    "too_far_ahead": _(
        "Choose an earlier day: at most four weeks ahead, and within twelve weeks of receipt. If that is not "
        "possible, conclude the signal."
    ),
    "after_conclusion": _(
        "Choose an earlier day: the signal is to be concluded by then. A later day takes an agreement with "
        "the resident."
    ),
    "not_with_this_result": _("A day goes only with 'nobody answered' or 'agreed for later'."),
    "in_past": _("This day has passed. Choose today or later."),
    "not_after_start": _("The last day comes after the first one, at most a year later."),
    "overlaps": _("This overlaps an absence that is known already. Remove that one, or choose other days."),
    "oneself": _("Nobody stands in for themselves. Choose a colleague."),
    "away_too": _("This colleague is away on some of these days. Choose another one."),
    "claim_working_days_bounds": _("Choose 1 to 5 working days."),
    "contact_working_days_bounds": _("Choose 1 to 5 working days."),
    "conclude_calendar_days_bounds": _("Choose 14 to 84 days."),
    "minimum_attempts_bounds": _("Choose 2 to 10 attempts."),
    "retry_working_days_bounds": _("Give one to five numbers from 1 to 15 with commas, like 2, 4, 7."),
    "escalation_working_days_bounds": _("Choose 1 to 5 working days."),
    "opens_at_bounds": _("Choose an hour from 6 to 12."),
    "quiet_from_bounds": _("Choose an hour from 0 to 23."),
    "quiet_until_bounds": _("Choose an hour from 0 to 23."),
    "digest_at_bounds": _("Choose an hour from 6 to 20."),
    "before_claim": _("A first attempt cannot be due before claiming. Choose as many days, or more."),
    "quiet_both": _("Give the first and the last hour, or neither."),
    "quiet_too_long": _("Leave four hours a day at least in which messages may come."),
    "in_quiet_hours": _("Nothing is sent in the quiet hours. Choose an hour outside of them."),
    "not_weekdays": _("Choose one day of the week at least."),
    "not_an_address": _("Give an e-mail address, like name@example.org."),
    "coordinator": _("A coordinator never hears of a single signal. Choose somebody else."),
    "keep_two": _(
        "Two recipients who confirmed must remain. Add the new one first, and remove the old one once the "
        "new one confirmed."
    ),
    "not_the_link": _("Paste the whole link from the message."),
    "unknown_area": _("Give a municipality, a GGD or a postcode, like Almere or 1012 AB."),
    "not_invitable": _("This address cannot be invited. Ask for another address of this person."),
    "proved_by_link": _(
        "Nobody fills this in. Leave it out: it is the day on which the recipient pressed the mailed link."
    ),
    "nothing_to_confirm": _("There is nothing to confirm for this address."),
    "not_a_phone_number": _("Give a mobile number, like 06 12345678 or +32 470 123456."),
    "not_a_mobile_number": _("Text messages need a mobile number, like 06 12345678."),
    "too_common": _("Choose one that is harder to guess."),
    "too_personal": _("Do not use your name or e-mail address in it."),
    "wrong_code": _("This code is not right; a code works only once."),
}
