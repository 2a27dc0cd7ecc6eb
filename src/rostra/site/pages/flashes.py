"""What a page tells once about what was just done: known by name, so that a cookie can only choose among them."""

from collections.abc import Mapping
from typing import Final

from rostra.site.pages.languages import N_

FLASHES: Final[Mapping[str, str]] = {
    "logged_in": N_("Welcome back."),
    "logged_out": N_("You are logged out."),
    "posted": N_("Posted."),
    "scheduled": N_("Scheduled."),
    "edited": N_("Your post is changed."),
    "deleted": N_("Deleted."),
    "session_ended": N_("That session is ended."),
    "sessions_ended": N_("All other sessions are ended."),
    "too_late": N_("That took too long. Begin again."),
    "disabled": N_("This account cannot be logged in to. A letter says why."),
    "confirmed": N_("Your e-mail address is confirmed. Welcome."),
    "new_password": N_("You have a new password. Log in with it."),
    "sent": N_("A letter is on its way."),
    "sent_already": N_("Letters were sent already. Look into your mailbox, also among the spam."),
    "saved": N_("Saved."),
    "owner": N_("You are the owner now."),
    "left": N_("Your account is deleted."),
    "announced": N_("Your conversation is announced."),
    "reminder_set": N_("You will be reminded."),
    "reminder_gone": N_("You will not be reminded."),
    "notice_given": N_("Everybody can read it now."),
    "guest_added": N_("They find the way to the stage on this page."),
    "called_off": N_("The conversation is called off."),
    "ended": N_("The conversation is over."),
    "appealed": N_("We have your appeal. Somebody else than who decided judges it."),
    "decided": N_("It is decided, and whom it is about is told why."),
    "lifted": N_("It is lifted, and whom it is about is told."),
    "try_again": N_("That did not work just now. Try again."),
}
